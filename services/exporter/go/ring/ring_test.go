package ring

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

type keyOrder struct {
	Key   *string `json:"key"`
	Order []int   `json:"order"`
}

type vectors struct {
	Scores []struct {
		Shard  string `json:"shard"`
		KeyHex string `json:"keyHex"`
		Key    string `json:"key"`
		Score  string `json:"score"`
	} `json:"scores"`
	Rings []struct {
		Table   Table      `json:"table"`
		Version string     `json:"version"`
		Keys    []keyOrder `json:"keys"`
	} `json:"rings"`
	Pinned []struct {
		Table   Table      `json:"table"`
		Version string     `json:"version"`
		Keys    []keyOrder `json:"keys"`
	} `json:"pinned"`
}

func read(t *testing.T) vectors {
	t.Helper()
	text, err := os.ReadFile("../../ring-vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var read vectors
	if err := json.Unmarshal(text, &read); err != nil {
		t.Fatal(err)
	}
	if len(read.Scores) < 30 || len(read.Rings) < 5 || len(read.Pinned) < 2 {
		t.Fatalf("too few vectors: %d scores, %d rings, %d pinned", len(read.Scores), len(read.Rings), len(read.Pinned))
	}
	return read
}

func TestScores(t *testing.T) {
	for _, vector := range read(t).Scores {
		key, err := hex.DecodeString(vector.KeyHex)
		if err != nil || string(key) != vector.Key {
			t.Fatalf("%q is not %s: %v", vector.Key, vector.KeyHex, err)
		}
		if got := strconv.FormatUint(Score(vector.Shard, vector.Key), 10); got != vector.Score {
			t.Errorf("Score(%q, %q) = %s, want %s", vector.Shard, vector.Key, got, vector.Score)
		}
	}
}

func TestOrdersAndVersions(t *testing.T) {
	all := read(t)
	for _, vector := range slices.Concat(all.Rings, all.Pinned) {
		ring, err := New(vector.Table)
		if err != nil {
			t.Fatal(err)
		}
		if got := ring.Version(); got != vector.Version {
			t.Errorf("version of %v = %s, want %s", vector.Table, got, vector.Version)
		}
		for _, each := range vector.Keys {
			key := ""
			if each.Key != nil {
				key = *each.Key
			}
			if got := ring.Order(key); !slices.Equal(got, each.Order) {
				t.Errorf("Order(%q) of %d shards = %v, want %v", key, len(vector.Table.Shards), got, each.Order)
			}
		}
	}
}

func TestOrderDoesNotDependOnTheTable(t *testing.T) {
	for _, vector := range read(t).Pinned {
		ring, _ := New(vector.Table)
		turned := vector.Table
		turned.Shards = slices.Clone(turned.Shards)
		turned.Pins = slices.Clone(turned.Pins)
		slices.Reverse(turned.Shards)
		slices.Reverse(turned.Pins)
		other, err := New(turned)
		if err != nil {
			t.Fatal(err)
		}
		if ring.Version() != other.Version() || !slices.Equal(ring.Order("gateway-1"), other.Order("gateway-1")) {
			t.Error("the order of shards or pins in the table decides")
		}
	}
}

func TestValidateNamesEveryProblem(t *testing.T) {
	_, err := New(Table{
		HomeShard: 9,
		Shards:    []Shard{{0, "shard-0"}, {0, "shard-0"}, {64, ""}},
		Pins:      []Pin{{"a", []int{0}}, {"a", nil}},
	})
	if err == nil {
		t.Fatal("a bad table was taken")
	}
	for _, want := range []string{"shardLabel", "index 0", "index 64", `name "shard-0"`, `name ""`, "homeShard: 9", "twice", "names no shard"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in: %v", want, err)
		}
	}
}

func BenchmarkOrder(b *testing.B) {
	shards := make([]Shard, 16)
	for at := range shards {
		shards[at] = Shard{at, "shard-" + strconv.Itoa(at)}
	}
	ring, err := New(Table{ShardLabel: "gatewayID", Shards: shards})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		ring.Order("gateway-347")
	}
}
