//go:build ignore

// prometheus reads bodies with Prometheus' own parser of the text format, and refuses what its scrape loop and TSDB
// refuse: a label that is there twice. Built by real-parsers.ts in the module that pins Prometheus (local/go/prometheus).
// Input and output are those of hub.go.
package main

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"sort"
	"strconv"
	"strings"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
)

type answer struct {
	Error   string      `json:"error,omitempty"`
	Samples [][3]string `json:"samples"`
}

func read(body []byte) answer {
	parser := textparse.NewPromParser(body, labels.NewSymbolTable(), false)
	samples := [][3]string{}
	for {
		entry, err := parser.Next()
		if errors.Is(err, io.EOF) {
			return answer{Samples: samples}
		}
		if err != nil {
			return answer{Error: err.Error()}
		}
		if entry != textparse.EntrySeries {
			continue
		}
		_, timestamp, value := parser.Series()
		var set labels.Labels
		parser.Labels(&set)
		if name, isTwice := set.HasDuplicateLabelNames(); isTwice {
			return answer{Error: "label name is not unique: " + name}
		}
		pairs := []string{}
		name := ""
		set.Range(func(label labels.Label) {
			if label.Name == "__name__" {
				name = label.Value
			} else if label.Value != "" {
				pairs = append(pairs, fmt.Sprintf("%s=%q", label.Name, label.Value))
			}
		})
		sort.Strings(pairs)
		at := ""
		if timestamp != nil {
			at = strconv.FormatInt(*timestamp, 10)
		}
		samples = append(samples, [3]string{name + "{" + strings.Join(pairs, ",") + "}", bits(value), at})
	}
}

func bits(value float64) string {
	if math.IsNaN(value) {
		return "NaN"
	}
	return strconv.FormatUint(math.Float64bits(value), 16)
}

func main() {
	in := bufio.NewReader(os.Stdin)
	out := json.NewEncoder(os.Stdout)
	for {
		var length uint32
		if err := binary.Read(in, binary.BigEndian, &length); err != nil {
			return
		}
		body := make([]byte, length)
		if _, err := io.ReadFull(in, body); err != nil {
			return
		}
		if err := out.Encode(read(body)); err != nil {
			return
		}
	}
}
