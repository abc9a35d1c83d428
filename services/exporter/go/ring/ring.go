// Package ring decides which shard a series belongs to, as services/exporter/RING.md says. It is written from that text
// alone and tested against ring-vectors.json, so that a controller may hash by itself and agree with every exporter.
package ring

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Shard is one shard of the ring.
type Shard struct {
	// Index is 0..63, unique.
	Index int `json:"index"`
	// Name is hashed; "shard-0".
	Name string `json:"name"`
}

// Pin brings shards to the front of a key's order.
type Pin struct {
	// Key is the value of the shard label; "" stands for the series without one.
	Key string `json:"key"`
	// Shards are indexes, the owner first.
	Shards []int `json:"shards"`
}

// Table is all that decides routing.
type Table struct {
	// ShardLabel is the label whose value is the key of a series.
	ShardLabel string `json:"shardLabel"`
	// HomeShard is the index of the shard that takes the series without a key.
	HomeShard int     `json:"homeShard"`
	Shards    []Shard `json:"shards"`
	Pins      []Pin   `json:"pins,omitempty"`
}

// Validate returns everything that is wrong with the table, joined, or nil.
func (t Table) Validate() error {
	var problems []error
	bad := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if t.ShardLabel == "" {
		bad("shardLabel: missing: must be a label name")
	}
	indexes, names := map[int]bool{}, map[string]bool{}
	for _, shard := range t.Shards {
		if shard.Index < 0 || shard.Index > 63 || indexes[shard.Index] {
			bad("shards: index %d: must be 0 to 63 and unique", shard.Index)
		}
		if shard.Name == "" || strings.ContainsRune(shard.Name, 0) || names[shard.Name] {
			bad("shards: name %q: must be given and unique", shard.Name)
		}
		indexes[shard.Index], names[shard.Name] = true, true
	}
	if !indexes[t.HomeShard] {
		bad("homeShard: %d: must be the index of a shard of the ring", t.HomeShard)
	}
	keys := map[string]bool{}
	for _, pin := range t.Pins {
		if keys[pin.Key] {
			bad("pins: key %q: is pinned twice", pin.Key)
		}
		keys[pin.Key] = true
		if len(pin.Shards) == 0 {
			bad("pins: key %q: names no shard", pin.Key)
		}
	}
	return errors.Join(problems...)
}

// Score is the weight of a shard for a key.
func Score(shardName, key string) uint64 {
	digest := sha256.Sum256([]byte(shardName + "\x00" + key))
	return binary.BigEndian.Uint64(digest[:8])
}

// Ring is a table that is ready for look-ups. It is immutable and safe for concurrent use.
type Ring struct {
	table  Table
	byRank []Shard
	pins   map[string][]int
}

// New checks a table and makes a ring of it.
func New(table Table) (*Ring, error) {
	if err := table.Validate(); err != nil {
		return nil, err
	}
	ring := &Ring{table: table, pins: make(map[string][]int, len(table.Pins))}
	ring.byRank = slices.Clone(table.Shards)
	slices.SortFunc(ring.byRank, func(a, b Shard) int { return a.Index - b.Index })
	for _, pin := range table.Pins {
		ring.pins[pin.Key] = slices.Clone(pin.Shards)
	}
	return ring, nil
}

// ShardLabel is the label whose value is the key of a series.
func (r *Ring) ShardLabel() string { return r.table.ShardLabel }

// Order gives the indexes of all shards for a key: the owner, then who takes over from it, and so on. An empty key means
// that the series has no shard label.
func (r *Ring) Order(key string) []int {
	type scored struct {
		index int
		score uint64
	}
	ranked := make([]scored, 0, len(r.byRank))
	for _, shard := range r.byRank {
		ranked = append(ranked, scored{shard.Index, Score(shard.Name, key)})
	}
	// Stable, and by ascending index to begin with: equal scores stay in that order.
	slices.SortStableFunc(ranked, func(a, b scored) int {
		switch {
		case a.score > b.score:
			return -1
		case a.score < b.score:
			return 1
		}
		return 0
	})
	first := r.pins[key]
	if key == "" {
		first = append([]int{r.table.HomeShard}, first...)
	}
	order := make([]int, 0, len(ranked))
	for _, index := range first {
		inRing := slices.ContainsFunc(ranked, func(each scored) bool { return each.index == index })
		if inRing && !slices.Contains(order, index) {
			order = append(order, index)
		}
	}
	for _, each := range ranked {
		if !slices.Contains(order, each.index) {
			order = append(order, each.index)
		}
	}
	return order
}

// Version is equal for tables that route alike.
func (r *Ring) Version() string {
	// By hand: encoding/json escapes more than the canonical text does.
	var text strings.Builder
	fmt.Fprintf(&text, `{"shardLabel":%s,"homeShard":%d,"shards":[`, strconv.Quote(r.table.ShardLabel), r.table.HomeShard)
	for at, shard := range r.byRank {
		if at > 0 {
			text.WriteByte(',')
		}
		fmt.Fprintf(&text, `{"index":%d,"name":%s}`, shard.Index, strconv.Quote(shard.Name))
	}
	text.WriteByte(']')
	if len(r.pins) > 0 {
		keys := make([]string, 0, len(r.pins))
		for key := range r.pins {
			keys = append(keys, key)
		}
		// Strings compare byte by byte, as their hexadecimal digits do.
		slices.Sort(keys)
		text.WriteString(`,"pins":[`)
		for at, key := range keys {
			if at > 0 {
				text.WriteByte(',')
			}
			shards := strings.ReplaceAll(strings.Trim(fmt.Sprint(r.pins[key]), "[]"), " ", ",")
			fmt.Fprintf(&text, `{"key":"%s","shards":[%s]}`, hex.EncodeToString([]byte(key)), shards)
		}
		text.WriteByte(']')
	}
	text.WriteByte('}')
	digest := sha256.Sum256([]byte(text.String()))
	return hex.EncodeToString(digest[:8])
}
