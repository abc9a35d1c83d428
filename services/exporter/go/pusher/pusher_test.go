package pusher

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"scaled-prometheus/exporter/ring"
)

func seen(gateways int, now time.Time) []Sample {
	samples := make([]Sample, gateways)
	for at := range samples {
		labels := map[string]string{"gatewayID": fmt.Sprintf("gateway-%d", at+1)}
		samples[at] = Sample{Name: "gateway_seen", Labels: labels, Value: 1, Timestamp: now.UnixMilli()}
	}
	return samples
}

// hub is a real edge hub on loopback.
type hub struct {
	url     string
	command *exec.Cmd
}

func startHub(t *testing.T, binary string) *hub {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().(*net.TCPAddr)
	listener.Close()
	started := &hub{url: fmt.Sprintf("http://127.0.0.1:%d", address.Port)}
	started.command = exec.Command(binary, fmt.Sprintf("-port=%d", address.Port), "-limit=100000", "-logtostderr")
	if err := started.command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(started.kill)
	deadline := time.Now().Add(20 * time.Second)
	for {
		response, err := http.Get(started.url + "/")
		if err == nil {
			response.Body.Close()
			return started
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (h *hub) kill() {
	_ = h.command.Process.Kill()
	_, _ = h.command.Process.Wait()
}

// drain does what a scrape does.
func (h *hub) drain(t *testing.T) []string {
	t.Helper()
	response, err := http.Get(h.url + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "#") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}

func count(lines []string, prefix string) int {
	found := 0
	for _, line := range lines {
		if strings.HasPrefix(line, prefix) {
			found++
		}
	}
	return found
}

func TestPushToRealHubs(t *testing.T) {
	binary := os.Getenv("EDGE_HUB")
	if binary == "" {
		t.Skip("EDGE_HUB names no edge hub")
	}
	hubs := [2][2]*hub{}
	for shard := range hubs {
		for replica := range hubs[shard] {
			hubs[shard][replica] = startHub(t, binary)
		}
	}
	table := ring.Table{
		ShardLabel: "gatewayID",
		Shards:     []ring.Shard{{Index: 0, Name: "shard-0"}, {Index: 1, Name: "shard-1"}},
		Pins:       []ring.Pin{{Key: "gateway-1", Shards: []int{1}}, {Key: "gateway-2", Shards: []int{0}}},
	}
	current, err := ring.New(table)
	if err != nil {
		t.Fatal(err)
	}
	pusher := &Pusher{
		ID:     "test",
		Ring:   func() *ring.Ring { return current },
		Client: &http.Client{Timeout: 5 * time.Second},
		Hubs:   func(shard int) []string { return []string{hubs[shard][0].url, hubs[shard][1].url} },
	}
	samples := append(seen(50, time.Now()), Sample{Name: "gateway_seen", Value: 1, Timestamp: time.Now().UnixMilli()},
		Sample{Name: "gateway_seen", Labels: map[string]string{"gatewayID": "quote\"\\\n"}, Timestamp: time.Now().UnixMilli()})
	push := func(stored, unplaced, missed int) {
		t.Helper()
		outcome, err := pusher.Push(context.Background(), samples)
		if err != nil || outcome.Stored != stored || len(outcome.Unplaced) != unplaced || outcome.Missed != missed {
			t.Fatalf("stored %d, unplaced %d, missed %d, error %v", outcome.Stored, len(outcome.Unplaced), outcome.Missed, err)
		}
	}

	// Every series is on both hubs of its shard and on no other.
	push(52, 0, 0)
	owned := [2]int{}
	for _, sample := range samples {
		owned[current.Order(sample.Labels["gatewayID"])[0]]++
	}
	for shard := range hubs {
		for replica := range hubs[shard] {
			lines := hubs[shard][replica].drain(t)
			if count(lines, "gateway_seen") != owned[shard] || count(lines, "pipeline_push_batch{exporter=\"test\"}") != 1 {
				t.Errorf("shard %d replica %d: %d series, want %d: %v", shard, replica, len(lines), owned[shard], lines)
			}
			if got := count(lines, `gateway_seen{gatewayID="gateway-1"}`); got != shard {
				t.Errorf("pinned gateway-1 is %d times on shard %d", got, shard)
			}
		}
	}

	// One hub of shard 1 is gone: kept by the other, and counted.
	hubs[1][0].kill()
	push(52, 0, owned[1])
	for _, each := range []*hub{hubs[0][0], hubs[0][1], hubs[1][1]} {
		each.drain(t)
	}

	// Both are gone: shard 0 takes everything.
	hubs[1][1].kill()
	push(52, 0, 0)
	for _, each := range hubs[0] {
		if got := count(each.drain(t), "gateway_seen"); got != 52 {
			t.Errorf("%d series on the survivor, want 52", got)
		}
	}

	// A bad body goes nowhere else.
	_, err = pusher.Push(context.Background(), []Sample{{Name: "not a name", Timestamp: 1}})
	if err == nil || !strings.Contains(err.Error(), "400") {
		t.Errorf("error %v, want the hub's 400", err)
	}

	// Nobody is left: everything comes back.
	hubs[0][0].kill()
	hubs[0][1].kill()
	push(0, 52, 0)
}

func TestNoRingNoPush(t *testing.T) {
	pusher := &Pusher{Ring: func() *ring.Ring { return nil }}
	outcome, err := pusher.Push(context.Background(), seen(2, time.Now()))
	if err == nil || len(outcome.Unplaced) != 2 {
		t.Errorf("pushed without a ring: %v, %v", outcome, err)
	}
}
