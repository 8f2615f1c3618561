# Everything runs under the Node 24 that npm installs, not the machine's Node.
NODE := node_modules/.bin/node

.DEFAULT_GOAL := help
.PHONY: help up k3s load test prove attack model bench bench-quick scaling steady streams fuzz wall pictures check setup clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

up: ## install what is missing and start the whole demo; Ctrl-C stops it
	@scripts/setup
	@$(NODE) scripts/up.ts

k3s: ## build the image and install everything on this machine's k3s
	@scripts/k3s

load: ## load the running demo with 100 connections for 10 s (DURATION, CONNECTIONS)
	@scripts/setup
	@$(NODE) scripts/load.ts

test: ## install what is missing and run every check and test
	@scripts/setup --with-tests
	@$(NODE) scripts/test.ts

prove: ## inject a random fault every few seconds (DURATION, SEED), then run the model (MODEL_RUNS)
	@scripts/setup --with-tests
	@$(NODE) e2e/prove/main.ts
	@$(MAKE) --no-print-directory model

attack: ## run every known attack at once for two minutes, with strict limits (DURATION, ATTACKS)
	@scripts/setup --with-tests
	@PATH="$(CURDIR)/node_modules/.bin:$$PATH" STRICT=true DURATION=$${DURATION:-2m} vitest run --project e2e e2e/security/attacks.e2e

model: ## check the model of the guarantee with a hundred thousand schedules (MODEL_RUNS)
	@scripts/setup --with-tests
	@PATH="$(CURDIR)/node_modules/.bin:$$PATH" MODEL_RUNS=$${MODEL_RUNS:-100000} vitest run --project exhaustive e2e/model

bench: ## compare all figures with nginx and Varnish, ten minutes; writes docs/benchmarks (FIGURES)
	@scripts/setup --with-bench
	@$(NODE) bench/main.ts $(FIGURES)

bench-quick: ## smoke-test the benchmarks in rounds too short for figures
	@scripts/setup --with-bench
	@$(NODE) bench/main.ts --quick $(FIGURES)

scaling: ## compare the cost model of docs/scaling.md with measurements, about six minutes
	@scripts/setup --with-bench
	@$(NODE) bench/main.ts scaling

steady: ## measure how steadily cameras are refreshed under continuous demand (DURATION)
	@scripts/setup --with-tests
	@$(NODE) bench/main.ts steady

streams: ## measure how soon 1,000 SSE and 200 MJPEG viewers of one process get a frame (DURATION)
	@scripts/setup --with-tests
	@$(NODE) bench/main.ts streams

fuzz: ## test each property with a hundred thousand odd URLs, patterns, source files, camera responses and images (FUZZ_RUNS)
	@scripts/setup --with-tests
	@PATH="$(CURDIR)/node_modules/.bin:$$PATH" FUZZ_RUNS=$${FUZZ_RUNS:-100000} vitest run --project exhaustive --project e2e --testTimeout 3600000 fuzz

wall: ## measure how soon the wall shows a new frame, in a real browser (DURATION)
	@scripts/setup --with-tests
	@$(NODE) bench/main.ts wall

pictures: ## take the docs' pictures of the wall and the dashboard in a real browser
	@scripts/setup --with-pictures
	@PATH="$(CURDIR)/node_modules/.bin:$$PATH" PICTURES_FOLDER=docs/pictures vitest run --project e2e e2e/wall-health
	@pngquant --force --strip --ext .png docs/pictures/*.png

check: ## types, lint and unused code, without the tests
	@scripts/setup
	@npm run check

setup: ## install what is missing
	@scripts/setup

clean: ## delete the demo's Redis data
	@rm -rf .lastframe
