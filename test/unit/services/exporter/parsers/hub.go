//go:build ignore

// hub reads bodies with the parser of the edge hub, prometheus/common 0.9.1. Built by real-parsers.ts in the module that
// pins the hub (local/go/edge-hub), so it is the very version of the hub's binary.
//
// Standard input: bodies, each after its length (4 bytes, big endian). Standard output: a line of JSON for each body,
// {"error": "..."} or {"samples": [["name{label=\"value\",...}", "value in hexadecimal bits", "timestamp or empty"]]}.
package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"sort"
	"strconv"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

type answer struct {
	Error   string      `json:"error,omitempty"`
	Samples [][3]string `json:"samples"`
}

// read gives the samples without a type, which is all that the exporter passes on.
func read(body []byte) answer {
	var parser expfmt.TextParser
	families, err := parser.TextToMetricFamilies(bytes.NewReader(body))
	if err != nil {
		return answer{Error: err.Error()}
	}
	samples := [][3]string{}
	for _, family := range families {
		if family.GetType() == dto.MetricType_UNTYPED {
			samples = append(samples, untyped(family)...)
		}
	}
	return answer{Samples: samples}
}

func untyped(family *dto.MetricFamily) [][3]string {
	samples := [][3]string{}
	for _, metric := range family.Metric {
		labels := []string{}
		for _, label := range metric.Label {
			if label.GetValue() != "" {
				labels = append(labels, fmt.Sprintf("%s=%q", label.GetName(), label.GetValue()))
			}
		}
		sort.Strings(labels)
		timestamp := ""
		if metric.TimestampMs != nil {
			timestamp = strconv.FormatInt(*metric.TimestampMs, 10)
		}
		series := family.GetName() + "{" + strings.Join(labels, ",") + "}"
		samples = append(samples, [3]string{series, bits(metric.GetUntyped().GetValue()), timestamp})
	}
	return samples
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
