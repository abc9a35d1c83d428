// Command ring-controller is a controller that hashes by itself, for tests: what is pushed to it in the text format it
// pushes on to the hubs, by the ring table and services/exporter/go. So the test feed, and its ledger, can be the
// controller's metrics.
//
//	ring-controller -listen 127.0.0.1:9700 -dns 10.96.0.10:53 -table http://placement.ns.svc.cluster.local:9104/ring -hubs ...
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"scaled-prometheus/exporter/pusher"
	"scaled-prometheus/exporter/ring"
)

func main() {
	log.SetFlags(0)
	listen := flag.String("listen", "", "address to listen on")
	dns := flag.String("dns", "", "name server that knows the hubs")
	table := flag.String("table", "", "URL of the ring table")
	hubs := flag.String("hubs", "", "base URLs of a shard's hubs, comma separated, with {shard} for its number")
	flag.Parse()

	net.DefaultResolver.PreferGo = true
	net.DefaultResolver.Dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, *dns)
	}
	source := ring.NewSource(*table, 5*time.Second)
	if err := source.Refresh(context.Background()); err != nil {
		log.Print("no ring table yet: ", err)
	}
	go source.Run(context.Background(), time.Second, func(err error) { log.Print("ring table: ", err) })
	to := &pusher.Pusher{
		ID:     "ring-controller",
		Ring:   source.Ring,
		Client: &http.Client{Timeout: 10 * time.Second},
		Hubs: func(shard int) []string {
			return strings.Split(strings.ReplaceAll(*hubs, "{shard}", strconv.Itoa(shard)), ",")
		},
	}
	http.HandleFunc("POST /metrics", func(response http.ResponseWriter, request *http.Request) {
		samples, err := read(request.Body)
		if err != nil {
			http.Error(response, err.Error(), http.StatusBadRequest)
			return
		}
		outcome, err := to.Push(request.Context(), samples)
		if err != nil || len(outcome.Unplaced) > 0 || outcome.Missed > 0 {
			http.Error(response, fmt.Sprintf("%d unplaced, %d missed: %v", len(outcome.Unplaced), outcome.Missed, err), 503)
		}
	})
	log.Fatal(http.ListenAndServe(*listen, nil))
}

// read takes the lines that the test feed writes: name, labels, value, timestamp.
func read(body io.Reader) ([]pusher.Sample, error) {
	text, err := io.ReadAll(body)
	if err != nil {
		return nil, err
	}
	var samples []pusher.Sample
	for number, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		if strings.HasPrefix(line, "#") {
			continue
		}
		sample, err := sampleOf(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w: %s", number+1, err, line)
		}
		samples = append(samples, sample)
	}
	return samples, nil
}

var errLine = errors.New("not name{labels} value timestamp")

func sampleOf(line string) (pusher.Sample, error) {
	none := pusher.Sample{}
	end := strings.LastIndexByte(line, ' ')
	if end < 0 {
		return none, errLine
	}
	timestamp, err := strconv.ParseInt(line[end+1:], 10, 64)
	if err != nil {
		return none, err
	}
	start := strings.LastIndexByte(line[:end], ' ')
	if start < 0 {
		return none, errLine
	}
	value, err := strconv.ParseFloat(line[start+1:end], 64)
	if err != nil {
		return none, err
	}
	name, left, _ := strings.Cut(line[:start], "{")
	labels := map[string]string{}
	for left != "" && left != "}" {
		label, rest, found := strings.Cut(left, "=")
		if !found {
			return none, errLine
		}
		// The text format escapes as Go does, as far as the feed's values go.
		quoted, err := strconv.QuotedPrefix(rest)
		if err != nil {
			return none, err
		}
		if labels[label], err = strconv.Unquote(quoted); err != nil {
			return none, err
		}
		left = strings.TrimPrefix(rest[len(quoted):], ",")
	}
	return pusher.Sample{Name: name, Labels: labels, Value: value, Timestamp: timestamp}, nil
}
