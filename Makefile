# Each target does all that it needs by itself, on a machine with Python 3.11 and, for the cluster, Go.
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help up test env lint bench bench-scheduler update verify lock image kind kind-native e2e e2e-native clean
.PHONY: e2e-ready e2e-native-ready

# Of the image, and of the kind cluster that it is tried on.
BASE ?= python:3.12-slim
IMAGE ?= kopfwerk:dev
KIND ?= kopfwerk
NAMESPACE ?= kopfwerk-system
TIMEOUT ?= 5m

help: ## Say what can be made
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-15s %s\n", $$1, $$2}'

up: env ## Start a real control plane with Kopfwerk's controllers (Ctrl-C ends it)
	@$(BIN)/kopfwerk up $(ARGS)

test: env ## Run every test but the end-to-end ones; LAYERS="core properties" runs some
	@$(BIN)/python -m tests.support.layers $(LAYERS)

env: .venv/.installed ## Make .venv, with every dependency at its locked version

.venv/.installed: requirements-dev.lock pyproject.toml
	@echo "==> Python environment in .venv"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Kopfwerk needs Python 3.11 or later; name one with make PYTHON=..."; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip --quiet --disable-pip-version-check install --require-hashes -r requirements-dev.lock
	@$(BIN)/python -m pip --quiet --disable-pip-version-check install --no-build-isolation --no-deps -e .
	@touch $@

lint: env ## Check style, types, imports and docstrings
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/interrogate -q operators

bench: env ## Compare with kube-controller-manager, and with kube-scheduler, on one apiserver
	@$(BIN)/python -m tests.bench $(ARGS)
	@test -n "$(ARGS)" || $(MAKE) --no-print-directory bench-scheduler

bench-scheduler: env ## Compare the scheduler with the default kube-scheduler, which `make bench` does too
	@$(BIN)/python -m tests.bench.scheduler
	@$(BIN)/python -m tests.bench.scheduling $(ARGS)

update: env ## Regenerate what is generated
	@$(BIN)/python -m tests.support.generate

verify: env ## Fail where something generated is out of date
	@$(BIN)/python -m tests.support.generate --check

lock: env ## Lock the dependencies anew
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header -o requirements.lock pyproject.toml
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --group dev -o requirements-dev.lock pyproject.toml
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --group build -o requirements-build.lock

image: ## Build the container image; BASE=... for another Python, IMAGE=... for another name
	@$(call need,docker)
	@docker build --build-arg BASE=$(BASE) --tag $(IMAGE) .

kind: image ## Install this source in a kind cluster, which is created if need be; ARGS="--set ..." for the chart
	@$(call need,kind)
	@$(call need,helm)
	@kind get clusters --quiet | grep -qx $(KIND) || kind create cluster --name $(KIND) --config kind-config.yaml
	@kind load docker-image $(IMAGE) --name $(KIND)
	@$(HELM) --wait $(ARGS)

# The image's name stays as it is from build to build: its identity is what lets the pods be replaced.
IDENTITY = $$(docker image inspect --format '{{.Id}}' $(IMAGE))
TAG = $(or $(word 2,$(subst :, ,$(notdir $(IMAGE)))),latest)# a registry may have a port
HELM = helm upgrade --install kopfwerk helm/kopfwerk --kube-context kind-$(KIND) --timeout $(TIMEOUT) \
  --namespace $(NAMESPACE) --create-namespace \
  --set image.repository=$(IMAGE:%:$(TAG)=%) --set-string image.tag=$(TAG) \
  --set-string podAnnotations.image="$(IDENTITY)"

# The operator is a static pod there, as kube-controller-manager is: nothing but the kubelet would start it. It has the
# rights of the chart's account, by a certificate in its name; the chart's own replicas stand by for it.
kind-native: KIND := $(if $(filter file,$(origin KIND)),kopfwerk-native,$(KIND))
kind-native: NODE = $(KIND)-control-plane
kind-native: ACCOUNT = system:serviceaccount:$(NAMESPACE):kopfwerk
kind-native: image ## The same in native mode, in a cluster whose apps/v1 and batch/v1 are Kopfwerk's
	@$(call need,kind)
	@$(call need,helm)
	@kind get clusters --quiet | grep -qx $(KIND) || kind create cluster --name $(KIND) --config kind-config.native.yaml
	@kind load docker-image $(IMAGE) --name $(KIND)
	@$(HELM) --set native.enabled=true $(ARGS)
	@docker exec $(NODE) sh -ec 'test -e /etc/kubernetes/kopfwerk.conf || { umask 077; \
	  kubeadm kubeconfig user --config=/kind/kubeadm.conf --client-name=$(ACCOUNT) >/tmp/kopfwerk.conf 2>/dev/null; \
	  chown 65532 /tmp/kopfwerk.conf; mv /tmp/kopfwerk.conf /etc/kubernetes/; }'
	@sed "s,kopfwerk:dev,$(IMAGE),; s,IDENTITY,$(IDENTITY)," image/static-pod.yaml | \
	  docker exec --interactive $(NODE) sh -c 'cat >/tmp/kopfwerk.yaml && mv /tmp/kopfwerk.yaml /etc/kubernetes/manifests/'
	@kubectl --context kind-$(KIND) wait nodes --all --for=condition=Ready --timeout=$(TIMEOUT)
	@$(HELM) --set native.enabled=true $(ARGS) --wait

# Exec probes are off unless they are asked for, and have to be tried.
e2e-ready: override ARGS += --set probes.exec=true
e2e-ready: kind
	@$(bring)

e2e-native-ready: KIND := $(if $(filter file,$(origin KIND)),kopfwerk-native,$(KIND))
e2e-native-ready: kind-native
	@$(bring)

e2e: e2e-ready env ## Run the end-to-end tests on a kind cluster, which is created if need be
	@$(call cases,e2e/side_by_side e2e/one_by_one)

e2e-native: KIND := $(if $(filter file,$(origin KIND)),kopfwerk-native,$(KIND))
e2e-native: e2e-native-ready env ## The same in native mode
	@$(call cases,e2e/native/side_by_side e2e/native/one_by_one)

# The images of the tests' own workloads.
define bring
set -e; for version in v1 v2; do \
  docker build --quiet --build-arg BASE=$(IMAGE) --build-arg VERSION=$$version --tag kopfwerk-e2e:$$version tests/e2e/app; \
done; \
kind load docker-image kopfwerk-e2e:v1 kopfwerk-e2e:v2 --name $(KIND)
endef

define cases
set -e; kind export kubeconfig --name $(KIND) --kubeconfig .venv/e2e.kubeconfig; \
KUBECONFIG=$(CURDIR)/.venv/e2e.kubeconfig $(BIN)/python -m tests.support.layers $(or $(LAYERS),$(1))
endef

need = command -v $(1) >/dev/null || { echo "make $@ needs $(1) on the PATH"; exit 1; }

clean: ## Remove the environment and caches
	@rm -rf .venv .mypy_cache .ruff_cache .hypothesis
