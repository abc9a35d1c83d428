module scaled-prometheus/local/pause

go 1.26.0
