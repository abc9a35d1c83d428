// Command magma-client pushes metrics as a stock Magma controller does: the stub that edge hub's own proto was compiled
// to, the client library and the dial options of orc8r/cloud/go/services/metricsd (grpc_exporter servicer). Tests use it,
// so that what they push is made by nothing of ours.
//
//	magma-client [-ca file] [-token text] [-generate n] address [message.json]
//
// It prints one line of JSON: the status code's name, its message, the size of the message and how long the call took.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"time"

	hubgrpc "github.com/facebookincubator/prometheus-edge-hub/grpc"
	"github.com/golang/protobuf/jsonpb"
	"github.com/golang/protobuf/proto"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

const maxMessageSize = 1024 * 1024 * 1024

type result struct {
	Code    string  `json:"code"`
	Message string  `json:"message"`
	Bytes   int     `json:"bytes"`
	Seconds float64 `json:"seconds"`
}

func main() {
	log.SetFlags(0)
	ca := flag.String("ca", "", "certificate to trust; none: no TLS, as stock controllers")
	token := flag.String("token", "", "bearer token")
	generate := flag.Int("generate", 0, "push so many gauges of gateways instead of a message")
	flag.Parse()
	message := &hubgrpc.MetricFamilies{}
	if *generate > 0 {
		message.Families = gauges(*generate)
	} else if err := read(flag.Arg(1), message); err != nil {
		log.Fatal(err)
	}
	outcome, err := push(flag.Arg(0), *ca, *token, message)
	if err != nil {
		log.Fatal(err)
	}
	line, err := json.Marshal(outcome)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(line))
}

func read(path string, message *hubgrpc.MetricFamilies) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	return jsonpb.Unmarshal(file, message)
}

func push(address, ca, token string, message *hubgrpc.MetricFamilies) (*result, error) {
	security := grpc.WithInsecure()
	if ca != "" {
		trusted, err := credentials.NewClientTLSFromFile(ca, "")
		if err != nil {
			return nil, err
		}
		security = grpc.WithTransportCredentials(trusted)
	}
	dialing, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	connection, err := grpc.DialContext(dialing, address, security, grpc.WithBlock(),
		grpc.WithDefaultCallOptions(grpc.MaxCallSendMsgSize(maxMessageSize)))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", address, err)
	}
	defer connection.Close()
	call := context.Background()
	if token != "" {
		call = metadata.AppendToOutgoingContext(call, "authorization", "Bearer "+token)
	}
	startedAt := time.Now()
	_, err = hubgrpc.NewMetricsControllerClient(connection).Collect(call, message)
	answered := status.Convert(err)
	return &result{
		Code:    answered.Code().String(),
		Message: answered.Message(),
		Bytes:   proto.Size(message),
		Seconds: time.Since(startedAt).Seconds(),
	}, nil
}

// gauges makes what a controller sends: families of gauges with the labels of a gateway and a timestamp.
func gauges(count int) []*dto.MetricFamily {
	const perGateway = 300
	gauge := dto.MetricType_GAUGE
	now := time.Now().UnixNano() / int64(time.Millisecond)
	families := make([]*dto.MetricFamily, 0, perGateway)
	for metric := 0; metric < perGateway && metric < count; metric++ {
		family := &dto.MetricFamily{Name: proto.String(fmt.Sprintf("magma_gateway_metric_%03d", metric)), Type: &gauge}
		for gateway := 0; gateway*perGateway+metric < count; gateway++ {
			family.Metric = append(family.Metric, &dto.Metric{
				Label: []*dto.LabelPair{
					{Name: proto.String("networkID"), Value: proto.String(fmt.Sprintf("network_%d", gateway%7))},
					{Name: proto.String("gatewayID"), Value: proto.String(fmt.Sprintf("gateway_%04d", gateway))},
				},
				Gauge:       &dto.Gauge{Value: proto.Float64(float64(gateway) * 1.25)},
				TimestampMs: proto.Int64(now),
			})
		}
		families = append(families, family)
	}
	return families
}
