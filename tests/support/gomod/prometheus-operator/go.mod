module kopfwerk/prometheus-operator

go 1.26.0

// Its custom resources, for a test of the chart's ServiceMonitor and PrometheusRule: nothing of it is built.
require github.com/prometheus-operator/prometheus-operator v0.85.0
