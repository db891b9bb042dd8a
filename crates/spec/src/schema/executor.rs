//! `[executor]`, of sweep files and of a site's own file.

use serde_json::{Value as Json, json};

use super::leaves::expression;
use super::{line, table, tables};

pub(super) fn executor() -> Json {
    table("Where runs are sent by `cyclelab submit`.", &[], json!({ "slurm": slurm(), "hq": hq() }))
}

fn slurm() -> Json {
    let mut keys = resources();
    keys["max_parallel"] = whole(1, "Tasks at a time, over all arrays.");
    keys["signal"] = json!({ "enum": ["USR1", "USR2", "TERM"], "default": "USR2",
        "description": "What a task is sent before its time is up." });
    keys["grace"] = time("How long before that.");
    keys["requeue"] = json!({ "enum": ["never", "slurm", "self"], "default": "slurm",
        "description": "Who puts a stopped task back into the queue." });
    keys["max_requeues"] = whole(0, "How often a run puts itself back.");
    keys["runs_per_task"] = whole(1, "Runs that one task trains, one after another.");
    keys["setup"] = json!({ "type": "array", "items": { "type": "string" },
        "description": "Lines of shell before the program, verbatim." });
    let mut of_class = resources();
    of_class["when"] = expression();
    keys["classes"] =
        tables("Runs that take something else; the first that holds.", &["when"], of_class);
    table("How runs are sent to Slurm.", &[], keys)
}

fn resources() -> Json {
    json!({
        "partition": line("--partition"),
        "account": line("--account"),
        "qos": line("--qos"),
        "time": { "type": "string", "pattern": "^([0-9]+-)?[0-9]+(:[0-9]+){0,2}$",
            "description": "--time: \"08:00:00\", \"1-00:00:00\", or minutes." },
        "gres": line("--gres, such as \"gpu:1\"."),
        "cpus": whole(1, "--cpus-per-task"),
        "mem": { "type": "string", "pattern": "^[0-9]+[KMGT]?$", "description": "--mem" },
        "constraint": line("--constraint"),
        "extra": { "type": "array", "items": { "type": "string", "pattern": "^-" },
            "description": "Further options of sbatch, each one argument." },
    })
}

fn hq() -> Json {
    table(
        "How runs are sent to HyperQueue.",
        &[],
        json!({
            "cpus": whole(1, "Cores of a run."),
            "gpus": whole(1, "GPUs of a run (`gpus/nvidia`)."),
            "time_request": time("What a worker must have left before a run starts there."),
            "crash_limit": { "description": "How often a task may lose its worker.",
                "anyOf": [{ "enum": ["unlimited"] }, { "type": "integer", "minimum": 1 }] },
        }),
    )
}

fn whole(least: u64, description: &str) -> Json {
    json!({ "type": "integer", "minimum": least, "description": description })
}

fn time(description: &str) -> Json {
    json!({ "type": "string", "pattern": "^[0-9]+ *[smhd]$", "description": description })
}
