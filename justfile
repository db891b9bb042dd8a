# Everyday commands, one line each. `just` without a word lists them.

# CUDA is compiled in where an NVIDIA driver is present.
cuda := if path_exists("/proc/driver/nvidia/version") == "true" { "--features cli/cuda" } else { "" }
target := env("CARGO_TARGET_DIR", "target")
cyclelab := target / "release/cyclelab"
# One profile and one set of features for the program and its tests: dependencies compile once.
selection := "--release --workspace " + cuda
nextest := `command -v cargo-nextest >/dev/null 2>&1 && echo "nextest run" || echo "test"`

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

# The reference's values on a GPU: the same suite as on the CPU, with the GPU's tolerance
test-cuda:
    CYCLELAB_TEST_DEVICE=cuda:0 cargo {{nextest}} --release --workspace --features cli/cuda reference

# Train side by side with PyTorch and print the largest differences (Python with torch, numpy, pillow, pyarrow, safetensors)
parity *ARGS: build
    ${CYCLELAB_PYTHON:-python3} tests/reference/parity.py --cyclelab {{cyclelab}} {{ARGS}}

# Formatting and lints, as the landing gate has them
lint:
    cargo fmt --all --check
    cargo clippy {{selection}} --all-targets -- -D warnings

# Build with the CUDA backend, driver or not
build-cuda:
    cargo build --release --workspace --features cli/cuda
