"""The prober: it tries what PodProbes ask for. What its results amount to is decided in operators.core.probe."""
