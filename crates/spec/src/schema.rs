//! The JSON Schema of sweep files, from which editors complete and underline.
//!
//! Draft 7, which TOML editors read. It is made from the leaves and tables that the reader itself
//! uses; what it cannot say, such as a baseline that is in the plan, only reading a file tells.

mod executor;
mod leaves;

use serde_json::{Value as Json, json};

use self::leaves::{axis, by_leaf, column, expression, value};
use crate::metric::{KnownMetric, Metric, known_metrics};
use crate::preset::Preset;
use crate::sweep_file::{Design, SCHEMA};

/// The schema of a whole sweep file.
pub fn schema() -> Json {
    let mut root = table(
        "A sweep: one file asks one question.",
        &["sweep"],
        json!({
            "schema": { "type": "integer", "minimum": 1, "maximum": SCHEMA,
                "description": "The version of this format." },
            "sweep": sweep(),
            "set": { "$ref": "#/definitions/settings" },
            "guards": { "$ref": "#/definitions/settings/properties/guards" },
            "axes": by_leaf("What varies; the first axis varies slowest.", axis),
            "zip": { "type": "object", "description": "Leaves that vary together, as one axis.",
                "additionalProperties": { "$ref": "#/definitions/columns" } },
            "arms": tables("Named variants: the baseline with something set.", &["name", "set"], json!({
                "name": line("The arm's label, such as \"no-identity\"."),
                "set": { "$ref": "#/definitions/settings" },
                "note": text("For the reader of the report."),
            })),
            "points": tables("Further cells; what they do not set is the baseline's.", &["set"], json!({
                "name": line("The cell's label."),
                "set": { "$ref": "#/definitions/settings" },
                "seeds": { "$ref": "#/definitions/seeds" },
                "note": text("For the reader of the report."),
            })),
            "exclude": tables("Cells that match are left out.", &["match"], json!({
                "match": { "$ref": "#/definitions/settings" },
                "reason": text("For the reader of the file."),
            })),
            "rules": tables("Settings of the cells of which something is true.", &["when", "set"], json!({
                "when": expression(),
                "set": { "$ref": "#/definitions/settings" },
                "reason": line("Who set a leaf, in a run's config.origin.json."),
            })),
            "derive": by_leaf("Leaves that are computed from others.", |_| expression()),
            "require": tables("What must be true of every cell.", &["expr"], json!({
                "expr": expression(),
                "message": line("What is said where it is not."),
            })),
            "limits": limits(),
            "exec": exec(),
            "samples": samples(),
            "executor": executor::executor(),
        }),
    );
    root["$schema"] = json!("http://json-schema.org/draft-07/schema#");
    root["title"] = json!("cyclelab sweep file");
    root["definitions"] = json!({
        "settings": by_leaf("Settings of a run.", value),
        "columns": by_leaf("One array for each leaf, equally long.", column),
        "seeds": seeds(),
    });
    root
}

fn sweep() -> Json {
    let designs = Design::ALL.map(Design::name);
    let presets = Preset::ALL.map(Preset::name);
    table(
        "The question, and how cells are made.",
        &["name", "question"],
        json!({
            "name": { "type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$",
                "description": "The folder of its runs." },
            "question": text("One sentence: what this sweep decides."),
            "base": { "description": "Files of settings below everything here, later ones first.",
                "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }] },
            "preset": { "enum": presets, "default": presets[0],
                "description": "Where every run starts." },
            "design": { "enum": designs, "default": designs[0],
                "description": "How cells are made from axes, arms and points." },
            "n_trials": { "type": "integer", "minimum": 1,
                "description": "Cells that a random design draws." },
            "sample_seed": { "type": "integer", "minimum": 0, "default": 0,
                "description": "What a random design draws them from." },
            "seeds": { "$ref": "#/definitions/seeds" },
            "run_name": line("A template for labels: \"lam{loss.lambda_cycle}\"."),
            "tags": { "type": "array", "items": { "type": "string" } },
            "metric": metric(),
            "baseline": { "$ref": "#/definitions/settings" },
        }),
    )
}

fn metric() -> Json {
    table(
        "What the sweep is judged by, declared before looking.",
        &[],
        json!({
            "name": metric_name(),
            "goal": { "enum": ["minimize", "maximize"] },
            "select": { "enum": ["last", "best"], "default": "last",
                "description": "Whose weights are scored: the last ones, or the best by this metric on the val fold." },
            "secondary": { "type": "array",
                "items": { "$ref": "#/properties/sweep/properties/metric/properties/name" } },
        }),
    )
}

/// The standard has no place for what each value of a list means; `x-taplo` is where TOML editors
/// look for it.
fn metric_name() -> Json {
    let recorded = || known_metrics().iter().filter(|known| known.is_recorded());
    let names: Vec<&str> = recorded().map(|known| known.name.as_str()).collect();
    let definitions: Vec<String> = recorded().map(definition).collect();
    json!({
        "enum": names,
        "default": Metric::default().name,
        "x-taplo": { "docs": { "enumValues": definitions } },
    })
}

/// `SSIM A→B (at most 1): structural similarity of …`.
fn definition(known: &KnownMetric) -> String {
    let unit = match known.unit {
        "" => String::new(),
        unit => format!(" ({unit})"),
    };
    format!("{}{unit}: {}", known.title, known.definition)
}

fn seeds() -> Json {
    let seed = json!({ "type": "integer", "minimum": 0 });
    json!({
        "description": "Replicates of every cell.",
        "anyOf": [
            { "type": "array", "items": seed, "minItems": 1, "uniqueItems": true },
            table("Consecutive ones.", &["count"], json!({
                "count": { "type": "integer", "minimum": 1 },
                "base": { "type": "integer", "minimum": 0, "default": 1 },
            })),
        ],
    })
}

fn limits() -> Json {
    let time = |what: &str| json!({ "type": "string", "pattern": "^[0-9]+ *[smhd]$", "description": what });
    table(
        "When to refuse, to stop a run, or to start no more.",
        &[],
        json!({
            "max_runs": { "type": "integer", "minimum": 1, "default": 200,
                "description": "A larger plan is an error, never a sample." },
            "run_timeout": time("A run whose process worked for so long is stopped."),
            "stall_timeout": time("A run that made no progress for so long is stopped."),
            "total_time": time("No run starts after this."),
            "max_failures": { "type": "integer", "minimum": 1,
                "description": "No run starts after this many failures." },
            "disk_free_min": { "type": "string", "pattern": "^[0-9]+ *[KMGT]i?B$",
                "description": "What must stay free on the disk." },
        }),
    )
}

fn exec() -> Json {
    let device = json!({ "type": "string", "pattern": "^(cpu|cuda:[0-9]{1,3})$" });
    let times = json!({ "type": "integer", "minimum": 0, "maximum": 100 });
    table(
        "Where and in which order runs happen.",
        &[],
        json!({
            "devices": { "anyOf": [{ "enum": ["auto", "cpu"] },
                { "type": "array", "items": device, "minItems": 1, "uniqueItems": true }] },
            "slots_per_device": { "description": "Runs side by side.",
                "anyOf": [{ "enum": ["auto"] }, { "type": "integer", "minimum": 1, "maximum": 1024 }] },
            "order": { "enum": ["seed-major", "as-declared"], "default": "seed-major",
                "description": "Whole replicates first, or every seed of a cell first." },
            "retries": table("Further attempts, by how a run ended.", &[], json!({
                "lost": times, "timeout": times, "oom": times, "io": times, "panic": times, "exit": times,
            })),
            "on_code_change": { "enum": ["reuse", "warn", "rerun"], "default": "warn",
                "description": "What happens to runs finished by other code." },
        }),
    )
}

fn samples() -> Json {
    table(
        "Images whose translations are saved, the same for every run.",
        &[],
        json!({
            "count": { "type": "integer", "minimum": 0, "maximum": 1000 },
            "ids": { "type": "array", "items": { "type": "string", "pattern": "^[AB]/." }, "uniqueItems": true },
        }),
    )
}

fn table(description: &str, required: &[&str], properties: Json) -> Json {
    let mut table = json!({
        "type": "object",
        "description": description,
        "properties": properties,
        "additionalProperties": false,
    });
    if !required.is_empty() {
        table["required"] = json!(required);
    }
    table
}

fn tables(description: &str, required: &[&str], properties: Json) -> Json {
    json!({ "type": "array", "items": table(description, required, properties) })
}

fn text(description: &str) -> Json {
    json!({ "type": "string", "description": description })
}

fn line(description: &str) -> Json {
    json!({ "type": "string", "maxLength": crate::section::LONGEST_LINE, "description": description })
}
