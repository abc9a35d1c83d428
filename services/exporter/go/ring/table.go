package ring

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

// maxTableBytes is more than 200,000 pins need.
const maxTableBytes = 32 << 20

// Fetch reads a table over HTTP: JSON with the fields of Table; fields that it does not know are left alone, so that the
// writer of the table may add some.
func Fetch(ctx context.Context, client *http.Client, url string) (*Ring, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: answered %s", url, response.Status)
	}
	text, err := io.ReadAll(io.LimitReader(response.Body, maxTableBytes+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", url, err)
	}
	if len(text) > maxTableBytes {
		return nil, fmt.Errorf("%s: the table is larger than %d bytes", url, maxTableBytes)
	}
	var table struct {
		Table
		Version string `json:"version"`
	}
	if err := json.Unmarshal(text, &table); err != nil {
		return nil, fmt.Errorf("%s: %w", url, err)
	}
	ring, err := New(table.Table)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", url, err)
	}
	if table.Version != "" && table.Version != ring.Version() {
		return nil, fmt.Errorf("%s: version %s: the table's content gives %s: it is corrupt", url, table.Version, ring.Version())
	}
	return ring, nil
}

// Source keeps the newest good table. Without one there is no ring: who has none must not guess.
type Source struct {
	url    string
	client *http.Client
	ring   atomic.Pointer[Ring]
}

// NewSource makes a source that has no table yet. Each try may take up to timeout.
func NewSource(url string, timeout time.Duration) *Source {
	return &Source{url: url, client: &http.Client{Timeout: timeout}}
}

// Ring is the newest good table, nil before the first one.
func (s *Source) Ring() *Ring { return s.ring.Load() }

// Refresh fetches the table once; the last good one stays when it fails.
func (s *Source) Refresh(ctx context.Context) error {
	ring, err := Fetch(ctx, s.client, s.url)
	if err != nil {
		return err
	}
	s.ring.Store(ring)
	return nil
}

// Run refreshes every interval until the context ends; failed hears of each failure.
func (s *Source) Run(ctx context.Context, interval time.Duration, failed func(error)) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		if err := s.Refresh(ctx); err != nil && ctx.Err() == nil {
			failed(err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}
