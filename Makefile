# `make help` lists the targets.

BINARY  := bin/otelcol-jira
CONFIG  := examples/quickstart.yaml
URL     := http://localhost:8087/jira/events
# The environment in which programs of the build run, if GOOS and GOARCH name another platform.
NATIVE  := env -u GOOS -u GOARCH
TOOL    := $(NATIVE) go tool -modfile=tools/go.mod
PACKAGE := ./internal/... ./jirareceiver/... ./jiraflowconnector/...

# The version of the distribution: the tag of the commit. Without a tag, the version of the manifest and the commit, if
# git knows it.
TAG     = $(shell git describe --tags --exact-match --match 'v[0-9]*' --dirty 2>/dev/null | grep -v dirty)
COMMIT  = $(shell git describe --always --dirty --exclude '*' 2>/dev/null | sed 's/^/+/')
VERSION = $(or $(TAG:v%=%),$(shell sed -n 's/^  version: //p' builder-config.yaml)$(COMMIT))

# The platforms of `make release`.
PLATFORMS := linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64

# The repository to which `make push` pushes the image.
IMAGE := ghcr.io/otel-jira/otelcol-jira

# The least statement coverage of the receiver in per cent, without generated code and the programs around it.
MIN_COVERAGE := 90

# The time of `make fuzz` for each fuzz target. By default, go test would spend a minute of it on minimizing one input.
FUZZTIME := 10s
FUZZ     := go test -run '^$$' -fuzztime $(FUZZTIME) -fuzzminimizetime 1s

# The number of measurements of each benchmark in `make bench`.
COUNT := 1

# Flags of `make bench-compare`, `bench-queues` and `bench-options`; `bin/bench -help` lists them.
BENCH :=

# The tests of attacks by unauthenticated senders, of harmful bodies, and of stops and restarts under load.
ATTACKS := TestAttacks|TestStopAmidSlowPipeline|TestConsole|TestRollingRestarts|TestNginxRecipe

# The load of `make soak`.
SOAK := -duration 20s -rate 2000

# The load of `make soak-repair`.
SOAK_REPAIR := -duration 1h -rate 100

# The folder, the version and the time of the package of the Helm chart.
DIST          := dist
CHART_VERSION = $(shell sed -n 's/^version: \([^ ]*\).*/\1/p' charts/otelcol-jira/Chart.yaml)
CHART_TIME    = $(shell git log -1 --format=%ct 2>/dev/null || echo 0)

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: build ## build the collector and start it on localhost:8087; CONFIG=my.yaml for your own configuration, ARGS for flags
	@tools/run.sh $(BINARY) --config $(CONFIG) $(if $(JIRA_WEBHOOK_SECRET),--set 'receivers::jira::signature::secrets=["$${env:JIRA_WEBHOOK_SECRET}"]') $(ARGS)

.PHONY: send
send: ## post the life of an issue to the running collector
	@go run ./jirareceiver/cmd/jirasim -url $(URL) -scenario testdata/life -fresh -verbose

.PHONY: jirasim
jirasim: ## play a Jira whose team works in sprints; ARGS='-help' lists the flags
	@go run ./jirareceiver/cmd/jirasim -url $(URL) $(ARGS)

.PHONY: check
check: ## check the Jira that a configuration describes, CONFIG=my.yaml; ARGS='-help' lists the flags
	@go build -C jirareceiver/cmd/jiracheck -o $(CURDIR)/bin/ .
	@bin/jiracheck $(ARGS) $(CONFIG)

.PHONY: demo
demo: build bin/victoria-logs ## show events in the web UI of a log database; ARGS='-ui localhost:19428' for another port
	@go build -o bin/ ./jirareceiver/cmd/jirasim ./examples/demo
	@exec bin/demo $(ARGS)

.PHONY: demo-poll
demo-poll: build bin/victoria-logs ## the same demo, in which the collector polls and nothing listens
	@go build -o bin/ ./jirareceiver/cmd/jirasim ./examples/demo
	@exec bin/demo -poll $(ARGS)

.PHONY: screenshots
screenshots: build bin/victoria-logs ## take the pictures of docs/demo.md, with chromium and pngquant
	@go build -o bin/ ./jirareceiver/cmd/jirasim ./examples/demo
	examples/demo/screenshots.sh

bin/victoria-logs: tools/victorialogs/go.mod
	@echo 'Building VictoriaLogs, the log database of the demo. The first time, this takes a minute or two.'
	@go build -modfile=tools/victorialogs/go.mod -o $@ github.com/VictoriaMetrics/VictoriaLogs/app/victoria-logs

.PHONY: build
build: build/manifest.yaml ## build bin/otelcol-jira; GOOS= and GOARCH= for another platform
	@mkdir -p bin
	@[ -e $(BINARY) ] || echo 'Building the collector. The first time, this takes some minutes.'
	@$(TOOL) builder --config build/manifest.yaml --skip-strict-versioning=false --skip-compilation
	@CGO_ENABLED=0 tools/progress.sh go build -C build/otelcol-jira -v -trimpath -ldflags='-s -w' -o $(abspath $(BINARY))$$(go env GOEXE) .

.PHONY: build/manifest.yaml
build/manifest.yaml:
	@mkdir -p build
	@sed 's/^  version: .*/  version: $(VERSION)/' builder-config.yaml > $@

.PHONY: release
release: build/manifest.yaml bin/release ## make archives, packages, an image, the Helm chart, bills of materials and checksums in dist; PLATFORMS=linux/amd64 for some
	@$(TOOL) builder --config build/manifest.yaml --skip-strict-versioning=false --skip-compilation
	@rm -rf dist
	@$(MAKE) --no-print-directory chart
	@bin/release $(RELEASE) -platforms '$(PLATFORMS)'

.PHONY: push
push: bin/release ## push the image in dist to a registry; IMAGE= for another repository
	@bin/release $(RELEASE) -push $(IMAGE)

.PHONY: test-release
test-release: release ## make a release, install its packages, run its image, build a manifest of a user, and make the release of HEAD twice
	RELEASE_TEST_ROOT=$(RELEASE_TEST_ROOT) go test -C tools/release -count=1 ./...
	tools/release/reproduce.sh '$(PLATFORMS)'

RELEASE = -version '$(VERSION)' -revision "$$(git rev-parse HEAD)" -time "$$(git log -1 --format=%ct)"

.PHONY: bin/release
bin/release:
	@$(NATIVE) go build -C tools/release -o $(CURDIR)/$@ .

# The same commit makes the same bytes.
.PHONY: chart
chart: ## package the Helm chart in dist
	@mkdir -p $(DIST)
	@tar -c --sort=name --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX --mtime=@$(CHART_TIME) -C charts otelcol-jira | \
	  gzip -9n > $(DIST)/otelcol-jira-$(CHART_VERSION).tgz

.PHONY: unit
unit: ## run the tests without the built collector, in their short form
	go test -short $(PACKAGE)

.PHONY: test
test: ## run all tests: short forms with the race detector, all forms with coverage, the built collector, and a short soak
	go test -short -race $(PACKAGE)
	go test -coverprofile=coverage.out -coverpkg=./internal/...,./jirareceiver/...,./jiraflowconnector/... $(PACKAGE)
	@awk -v min=$(MIN_COVERAGE) -f tools/coverage.awk coverage.out
	go test -count=1 -run TestAllocations ./jirareceiver
	$(MAKE) build
	OTELCOL_JIRA=$(CURDIR)/$(BINARY) go test -race -tags e2e -count=1 -parallel 12 ./jirareceiver/internal/e2e
	go test -C jirareceiver/cmd/jiracheck -race -count=1 ./...
	$(MAKE) test-kubernetes
	go test -C tools/policies -count=1 ./...
	$(MAKE) test-alerts
	$(MAKE) test-release PLATFORMS=linux/amd64
	$(MAKE) soak

.PHONY: test-kubernetes
test-kubernetes: build ## check the manifests and the Helm chart for Kubernetes, and run their configurations
	OTELCOL_JIRA=$(CURDIR)/$(BINARY) go test -C tools/kubernetes -count=1 ./...

.PHONY: test-alerts
test-alerts: bin/promtool ## check examples/prometheus.yaml and its alerts, run their tests, and parse the dashboards
	bin/promtool check config examples/prometheus.yaml
	bin/promtool test rules tools/promtool/alerts_test.yaml tools/promtool/alerts_days_test.yaml tools/promtool/alerts_oncall_test.yaml
	go test -C tools/promtool -count=1 ./...

bin/promtool: tools/promtool/go.mod
	go build -modfile=tools/promtool/go.mod -o $@ github.com/prometheus/prometheus/cmd/promtool

.PHONY: test-faults
test-faults: build ## break everything around the collector, for some minutes; `make test` runs the short form
	JIRA_FAULTS=long go test -count=1 -v -run TestBadInputs ./jirareceiver
	JIRA_FAULTS=long OTELCOL_JIRA=$(CURDIR)/$(BINARY) go test -race -tags e2e -count=1 -parallel 12 -v -timeout 40m -run 'TestFaults|TestFloods|TestMemoryOfDeliveriesIsBounded|TestOutages' ./jirareceiver/internal/e2e
	$(MAKE) test-attacks

.PHONY: test-attacks
test-attacks: ## attack bin/otelcol-jira under a memory limit, for some minutes; BINARY= for another collector, FORM=short
	JIRA_FAULTS=$(or $(FORM),long) OTELCOL_JIRA=$(abspath $(BINARY)) go test -tags e2e -count=1 -v -timeout 60m -run '$(ATTACKS)' ./jirareceiver/internal/e2e

.PHONY: fuzz
fuzz: ## search for inputs that break the signature check, the decoder, the records and the file of delivery IDs
	$(FUZZ) -fuzz FuzzVerify ./jirareceiver/internal/signature
	$(FUZZ) -fuzz 'FuzzDecode$$' ./jirareceiver/internal/jira
	$(FUZZ) -fuzz FuzzDecodeAnswers ./jirareceiver/internal/jira
	$(FUZZ) -fuzz FuzzDecodeRegistrations ./jirareceiver/internal/jira
	$(FUZZ) -fuzz FuzzBuild ./jirareceiver/internal/record
	$(FUZZ) -fuzz FuzzLoadFile ./jirareceiver/internal/dedup
	$(FUZZ) -fuzz FuzzOrder ./jiraflowconnector
	$(FUZZ) -fuzz FuzzDecodePage ./jiraflowconnector/internal/state

.PHONY: bench
bench: ## measure each part and whole deliveries; COUNT=6 for benchstat
	go test -run '^$$' -bench . -benchmem -count $(COUNT) $(PACKAGE)

.PHONY: bench-collector
bench-collector:
	@mkdir -p build
	@$(TOOL) builder --config jirareceiver/internal/bench/manifest.yaml
	@go run go.opentelemetry.io/collector/cmd/builder@v0.161.0 --config jirareceiver/internal/bench/generic-manifest.yaml
	@go build -C tools/telegraf -o ../../bin/ .
	@go build -o bin/bench ./jirareceiver/internal/bench

.PHONY: bench-compare
bench-compare: bench-collector ## compare the cost of a delivery with other receivers, for 5 minutes; BENCH='-rounds 20' for fewer rounds
	@bin/bench $(BENCH)

.PHONY: bench-queues
bench-queues: bench-collector ## measure deliveries per second by the queue; BENCH='-before PATH' adds an older collector
	@bin/bench $(BENCH) queues

.PHONY: bench-options
bench-options: bench-collector ## measure the cost of each option of the receiver
	@bin/bench $(BENCH) options

.PHONY: bench-scale
bench-scale: bench-collector ## measure deliveries of 1 KB to 25 MB, over 1 to 256 connections
	@bin/bench -duration 3s scale

.PHONY: bench-flow
bench-flow: build ## measure jira_flow with 200,000 open issues in a collector on one core
	JIRA_FAULTS=long OTELCOL_JIRA=$(CURDIR)/$(BINARY) go test -tags e2e -count=1 -v -timeout 30m -run TestFlowLoad ./jirareceiver/internal/e2e

.PHONY: soak
soak: bench-collector ## check that memory does not grow under load; SOAK="-duration 1h -rate 5500"
	@bin/bench $(SOAK) soak

.PHONY: soak-repair
soak-repair: bench-collector ## check for an hour that memory and storage do not grow while the receiver repairs webhooks
	@bin/bench $(SOAK_REPAIR) soak-repair

.PHONY: golden
golden: ## write the golden records; read the difference before you commit it
	go test ./jirareceiver/internal/record -run TestGolden -update

.PHONY: docs
docs: ## write docs/events.md, docs/attributes.md, the schema of the configuration and the registry, from the code and testdata
	go run ./jirareceiver/internal/docgen

.PHONY: generate
generate: ## run mdatagen, and format its output
	go generate $(PACKAGE)
	@$(MAKE) --no-print-directory fmt

.PHONY: fmt
fmt: ## format the code
	@$(TOOL) gofumpt -extra=group_params -w internal jirareceiver jiraflowconnector examples tools
	@$(TOOL) goimports -local github.com/otel-jira/collector -w internal jirareceiver jiraflowconnector examples tools

.PHONY: lint
lint: ## run the linters
	@go tool -modfile=tools/actionlint/go.mod actionlint -shellcheck= -pyflakes=
	@GOOS=windows go vet ./examples/demo ./jirareceiver/cmd/jirasim
	@$(TOOL) golangci-lint run --allow-parallel-runners
	@cd jirareceiver/cmd/jiracheck && go tool -modfile=$(CURDIR)/tools/go.mod golangci-lint run --allow-parallel-runners
	@for module in kafka kubernetes policies promtool release telegraf; do (cd tools/$$module && go tool -modfile=../go.mod golangci-lint run --allow-parallel-runners) || exit 1; done

.PHONY: tidy
tidy: ## tidy the modules
	go mod tidy
	cd jirareceiver/cmd/jiracheck && go mod tidy
	cd tools && go mod tidy
	cd tools/actionlint && go mod tidy
	cd tools/kafka && go mod tidy
	cd tools/kubernetes && go mod tidy
	cd tools/policies && go mod tidy
	cd tools/promtool && go mod tidy
	cd tools/release && go mod tidy
	cd tools/telegraf && go mod tidy
	cd tools/victorialogs && go mod tidy

.PHONY: clean
clean: ## remove built files
	rm -rf bin build dist coverage.out
