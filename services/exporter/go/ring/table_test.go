package ring

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// answers is a server whose answer can be changed between requests.
type answers struct {
	status int
	text   string
}

func (a *answers) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.WriteHeader(a.status)
	_, _ = w.Write([]byte(a.text))
}

func TestSourceKeepsTheLastGoodTable(t *testing.T) {
	vector := read(t).Pinned[0]
	good, err := json.Marshal(struct {
		Table
		Version string `json:"version"`
		State   string `json:"aFieldOfLater"`
	}{vector.Table, vector.Version, "any"})
	if err != nil {
		t.Fatal(err)
	}
	answer := &answers{status: http.StatusServiceUnavailable, text: "starting"}
	server := httptest.NewServer(answer)
	defer server.Close()
	source := NewSource(server.URL, time.Second)
	if err := source.Refresh(context.Background()); err == nil || source.Ring() != nil {
		t.Fatalf("a ring without a table: %v", err)
	}
	*answer = answers{http.StatusOK, string(good)}
	if err := source.Refresh(context.Background()); err != nil {
		t.Fatal(err)
	}
	if got := source.Ring().Version(); got != vector.Version {
		t.Fatalf("version %s, want %s", got, vector.Version)
	}
	for want, bad := range map[string]answers{
		"answered 404":        {http.StatusNotFound, "none"},
		"unexpected end":      {http.StatusOK, `{"shards":[`},
		"homeShard":           {http.StatusOK, `{}`},
		"it is corrupt":       {http.StatusOK, strings.Replace(string(good), `"homeShard":0`, `"homeShard":1`, 1)},
		"cannot unmarshal":    {http.StatusOK, `{"shards":"all"}`},
		"shardLabel: missing": {http.StatusOK, `{"homeShard":0,"shards":[{"index":0,"name":"shard-0"}]}`},
	} {
		*answer = bad
		err := source.Refresh(context.Background())
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", bad.text, err, want)
		}
		if source.Ring().Version() != vector.Version {
			t.Errorf("%q: the last good table is gone", bad.text)
		}
	}
}

func TestRunRefreshesUntilTheContextEnds(t *testing.T) {
	answer := &answers{status: http.StatusTeapot}
	server := httptest.NewServer(answer)
	defer server.Close()
	ctx, cancel := context.WithCancel(context.Background())
	heard := make(chan error, 100)
	done := make(chan struct{})
	go func() {
		NewSource(server.URL, time.Second).Run(ctx, time.Millisecond, func(err error) { heard <- err })
		close(done)
	}()
	<-heard
	<-heard
	cancel()
	<-done
}
