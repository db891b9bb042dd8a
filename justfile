# Everyday commands, one line each. `just` without a word lists them.

# CUDA is compiled in where an NVIDIA driver is present.
cuda := if path_exists("/proc/driver/nvidia/version") == "true" { "--features cli/cuda" } else { "" }
target := env("CARGO_TARGET_DIR", "target")
cyclelab := target / "release/cyclelab"
# One profile and one set of features for the program and its tests: dependencies compile once.
selection := "--release --workspace " + cuda
nextest := `command -v cargo-nextest >/dev/null 2>&1 && echo "nextest run" || echo "test"`
# Shows what a passing test prints.
aloud := if nextest == "nextest run" { "--no-capture" } else { "-- --nocapture" }
fuzz := target / "fuzz"
# What libFuzzer asks of the compiler. Stable Rust can do all of it; `cargo fuzz` would ask for a nightly.
instrumented := "--cfg fuzzing -Ccodegen-units=1 -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares"

_list:
    @just --list --unsorted

# Train what a sweep file asks for and write its report: just sweep experiments/lambda.toml
sweep FILE *ARGS: build
    {{cyclelab}} sweep {{quote(FILE)}} {{ARGS}}

# Build the program
build:
    cargo build {{selection}}

# Any other command of the program: just run plan experiments/lambda.toml
run *ARGS: build
    {{cyclelab}} {{ARGS}}

# Build and pass every test
test *ARGS:
    cargo {{nextest}} {{selection}} {{ARGS}}

# Kill a run at N random moments and at every system call that changes its folder, have every such call fail, and compare what is left with a run left alone (strace, installed where missing)
torture N="100":
    @command -v strace >/dev/null || echo "strace is missing; apt-get installs it"
    @command -v strace >/dev/null || $([ "$(id -u)" = 0 ] || echo sudo) sh -c "apt-get update -q && apt-get install -q -y --no-install-recommends strace"
    CYCLELAB_TORTURE={{N}} CYCLELAB_NO_SKIPS=1 cargo {{nextest}} {{selection}} torture power_loss {{aloud}}

# Feed sweep_file, metric_log, manifest or events what nobody would write: just fuzz manifest 300
fuzz TARGET SECONDS="60":
    mkdir -p {{fuzz}}/corpus/{{TARGET}}
    RUSTFLAGS="{{instrumented}}" cargo run --release --manifest-path fuzz/Cargo.toml --target-dir {{fuzz}} --target "$(rustc -vV | sed -n 's/^host: //p')" --bin {{TARGET}} -- {{fuzz}}/corpus/{{TARGET}} fuzz/seeds/{{TARGET}} {{ if TARGET == "sweep_file" { "experiments -dict=fuzz/sweep_file.dict" } else { "" } }} -max_total_time={{SECONDS}} -timeout=10 -rss_limit_mb=2048 -max_len=6000 -artifact_prefix={{fuzz}}/ -print_final_stats=1

# The reference's values on a GPU: the same suite as on the CPU, with the GPU's tolerance
test-cuda:
    CYCLELAB_TEST_DEVICE=cuda:0 cargo {{nextest}} --release --workspace --features cli/cuda reference

# Report a made-up sweep of 500 runs, 20 metrics and 200 epochs, and print the time and the size
scale:
    cargo {{nextest}} {{selection}} five_hundred_runs {{ if nextest == "nextest run" { "--run-ignored all --no-capture" } else { "-- --ignored --nocapture" } }}

# Train side by side with PyTorch and print the largest differences (Python with torch, numpy, pillow, pyarrow, safetensors)
parity *ARGS: build
    ${CYCLELAB_PYTHON:-python3} tests/reference/parity.py --cyclelab {{cyclelab}} {{ARGS}}

# Time the program beside PyTorch on the CPU, 27 minutes on a quiet machine of two cores, and quote it in the README; `just bench --quick` is a trial (Python with torch, torchvision, numpy, pillow, pyarrow)
bench *ARGS: build
    ${CYCLELAB_PYTHON:-python3} -B benches/side_by_side.py --cyclelab {{cyclelab}} --just {{quote(just_executable())}} --date "$(date +%F)" {{ARGS}}

# The same beside the GPU's own PyTorch; without a GPU it says so and ends
bench-cuda *ARGS: build
    ${CYCLELAB_PYTHON:-python3} -B benches/cuda.py --cyclelab {{cyclelab}} --date "$(date +%F)" {{ARGS}}

# Take the README's pictures anew, from the shipped experiments' runs (Chromium; `just sweep experiments/lambda.toml` trains them)
gallery RUNS="runs": build
    python3 -B docs/gallery/shoot.py --cyclelab {{cyclelab}} --runs {{quote(RUNS)}}

# Formatting and lints, as the landing gate has them
lint:
    cargo fmt --all --check
    cargo clippy {{selection}} --all-targets -- -D warnings

# Build with the CUDA backend, driver or not
build-cuda:
    cargo build --release --workspace --features cli/cuda
