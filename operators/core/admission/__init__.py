"""Whether a custom resource may be written, where schema and CEL cannot tell: ask the apiserver about its twin.

The twin is the same object as its built-in kind. Creating it as a dry run makes the apiserver validate it with its own
rules and answer in its own words. `review` says which requests are exempt and what the twin is, `verdict` what an
answer means. operators.runtime.admission does the asking.
"""
