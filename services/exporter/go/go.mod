module scaled-prometheus/exporter

go 1.26
