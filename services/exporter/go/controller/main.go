// Command controller is an example of a controller that hashes by itself: it reads the ring table and pushes to the hubs.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"scaled-prometheus/exporter/pusher"
	"scaled-prometheus/exporter/ring"
)

// main pushes one gauge per gateway and interval: replace own() with what the controller gathers.
func main() {
	table := flag.String("table", "", "URL of the ring table")
	hubs := flag.String("hubs", "http://hub-shard-{shard}-a:9091,http://hub-shard-{shard}-b:9091", "hubs of a shard")
	id := flag.String("id", "controller-0", "unique among all writers")
	interval := flag.Duration("interval", time.Minute, "between pushes")
	gateways := flag.Int("gateways", 3, "number of gateways")
	flag.Parse()
	if *table == "" {
		fmt.Fprintln(os.Stderr, "error: -table is missing: URL of the ring table")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	source := ring.NewSource(*table, 5*time.Second)
	if err := source.Refresh(ctx); err != nil {
		slog.Warn("no ring table yet", "error", err)
	}
	go source.Run(ctx, time.Second, func(err error) { slog.Warn("ring table", "error", err) })
	to := &pusher.Pusher{ID: *id, Ring: source.Ring, Client: &http.Client{Timeout: 10 * time.Second}, Hubs: hubsOf(*hubs)}
	var left []pusher.Sample
	for {
		outcome, err := to.Push(ctx, append(left, own(*gateways, time.Now())...))
		slog.Info("pushed", "stored", outcome.Stored, "unplaced", len(outcome.Unplaced), "missed", outcome.Missed, "error", err)
		// As they are, with the same timestamps; the newest only, so that memory stays bounded.
		left = outcome.Unplaced[max(0, len(outcome.Unplaced)-100_000):]
		select {
		case <-ctx.Done():
			return
		case <-time.After(*interval):
		}
	}
}

func hubsOf(pattern string) func(int) []string {
	return func(shard int) []string {
		return strings.Split(strings.ReplaceAll(pattern, "{shard}", strconv.Itoa(shard)), ",")
	}
}

func own(gateways int, now time.Time) []pusher.Sample {
	samples := make([]pusher.Sample, gateways)
	for at := range samples {
		labels := map[string]string{"gatewayID": "gateway-" + strconv.Itoa(at+1)}
		samples[at] = pusher.Sample{Name: "gateway_seen", Labels: labels, Value: 1, Timestamp: now.UnixMilli()}
	}
	return samples
}
