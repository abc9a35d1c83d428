// Package pusher writes samples to all hubs of their shards, for a controller that hashes by itself, without an exporter
// between. It sends no staleness markers when a key moves, and keeps nothing to send again after a hub's crash: those are
// the exporter's.
package pusher

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"scaled-prometheus/exporter/ring"
)

// Sample is one sample of one series.
type Sample struct {
	Name   string
	Labels map[string]string
	Value  float64
	// Timestamp in milliseconds since the epoch. A hub must never get a sample without one.
	Timestamp int64
}

// Outcome is what became of a push.
type Outcome struct {
	// Stored samples were taken by at least one hub of a shard, Unplaced ones by none: send those again as they are.
	Stored   int
	Unplaced []Sample
	// Missed counts samples that a hub did not take while another hub of the shard did.
	Missed int
}

// Pusher writes samples to hubs.
type Pusher struct {
	// ID is the value of label "exporter" of the batch numbers; unique among all writers.
	ID string
	// Ring gives the ring of this push; nil means that there is none yet.
	Ring func() *ring.Ring
	// Hubs gives the base URLs of a shard's hubs, one per replica.
	Hubs   func(shard int) []string
	Client *http.Client

	batch atomic.Int64
}

var errNoRing = errors.New("no ring table yet: not pushing rather than guessing")

// errRefused: the body is bad, another hub must not get it.
var errRefused = errors.New("refused by a hub as bad")

// Push stores samples, each on the first shard of its key's order that takes it.
func (p *Pusher) Push(ctx context.Context, samples []Sample) (Outcome, error) {
	current := p.Ring()
	if current == nil {
		return Outcome{Unplaced: samples}, errNoRing
	}
	var outcome Outcome
	failed := map[int]bool{}
	for left := samples; len(left) > 0; {
		groups := map[int][]Sample{}
		for _, sample := range left {
			order := current.Order(sample.Labels[current.ShardLabel()])
			at := slices.IndexFunc(order, func(shard int) bool { return !failed[shard] })
			if at < 0 {
				outcome.Unplaced = append(outcome.Unplaced, sample)
				continue
			}
			groups[order[at]] = append(groups[order[at]], sample)
		}
		left = nil
		for _, shard := range slices.Sorted(maps.Keys(groups)) {
			group := groups[shard]
			missed, err := p.store(ctx, shard, group)
			switch {
			case err == nil:
				outcome.Stored += len(group)
				outcome.Missed += missed * len(group)
			case errors.Is(err, errRefused) || ctx.Err() != nil:
				outcome.Unplaced = append(outcome.Unplaced, group...)
				return outcome, err
			default:
				failed[shard] = true
				left = append(left, group...)
			}
		}
	}
	return outcome, nil
}

// store writes one body to all hubs of a shard; it tells how many missed it, and an error when all did.
func (p *Pusher) store(ctx context.Context, shard int, samples []Sample) (int, error) {
	body := p.render(samples)
	hubs := p.Hubs(shard)
	failures := make([]error, len(hubs))
	var pushes sync.WaitGroup
	for at, hub := range hubs {
		pushes.Go(func() { failures[at] = p.post(ctx, hub, body) })
	}
	pushes.Wait()
	missed := 0
	for _, err := range failures {
		if errors.Is(err, errRefused) {
			return 0, err
		}
		if err != nil {
			missed++
		}
	}
	if missed == len(hubs) {
		return missed, fmt.Errorf("shard %d: %w", shard, errors.Join(failures...))
	}
	return missed, nil
}

func (p *Pusher) post(ctx context.Context, hub string, body []byte) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, hub+"/metrics", bytes.NewReader(body))
	if err != nil {
		return err
	}
	// A hub that goes away under a push answers nothing; sending it again to the same hub is left to the caller.
	response, err := p.Client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(response.Body, 1024))
	switch status := response.StatusCode; {
	case status == http.StatusOK:
		return nil
	case status/100 == 4 && status != http.StatusNotAcceptable:
		return fmt.Errorf("%s: %d: %s: %w", hub, status, bytes.TrimSpace(text), errRefused)
	default:
		return fmt.Errorf("%s: %d: %s", hub, status, bytes.TrimSpace(text))
	}
}

// render makes a body in the text format. Each body carries the next batch number, so that a gap shows on a replica.
func (p *Pusher) render(samples []Sample) []byte {
	var body bytes.Buffer
	for _, sample := range samples {
		writeLine(&body, sample)
	}
	writeLine(&body, Sample{
		Name:      "pipeline_push_batch",
		Labels:    map[string]string{"exporter": p.ID},
		Value:     float64(p.batch.Add(1)),
		Timestamp: time.Now().UnixMilli(),
	})
	return body.Bytes()
}

var escaper = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

func writeLine(body *bytes.Buffer, sample Sample) {
	body.WriteString(sample.Name)
	for at, label := range slices.Sorted(maps.Keys(sample.Labels)) {
		body.WriteByte("{,"[min(at, 1)])
		fmt.Fprintf(body, `%s="%s"`, label, escaper.Replace(sample.Labels[label]))
	}
	if len(sample.Labels) > 0 {
		body.WriteByte('}')
	}
	fmt.Fprintf(body, " %s %d\n", strconv.FormatFloat(sample.Value, 'g', -1, 64), sample.Timestamp)
}
