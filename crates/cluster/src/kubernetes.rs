//! An example of an Indexed Job, to be completed by hand. Not run by us: image, volumes and resources
//! are a cluster's own.

use std::fmt::Write;

use crate::commands::RunCommand;

/// `runs` are counted from 0: a pod's index is its run's.
pub fn example(name: &str, runs: usize, command: &RunCommand) -> String {
    let mut text = String::new();
    let words = command.words().chain(["--index-env", "JOB_COMPLETION_INDEX"]);
    let words: Vec<String> = words.map(|word| serde_json::json!(word).to_string()).collect();
    let folder = serde_json::json!(command.sweep_dir);
    write!(
        text,
        r#"# An example, not run by us. To be filled in: image, volumes, resources, and where the program is.
# Runs and cache lie on a volume that all pods share, at the same paths as here.
apiVersion: batch/v1
kind: Job
metadata:
  name: {name}
spec:
  completionMode: Indexed
  completions: {runs}
  parallelism: 2
  backoffLimitPerIndex: 20
  podFailurePolicy:
    rules:
      - action: Ignore            # evicted: goes on from its checkpoint in another pod
        onPodConditions: [{{ type: DisruptionTarget }}]
      - action: FailIndex         # diverged is a result; bad data and configuration stay bad
        onExitCodes: {{ containerName: run, operator: In, values: [65, 78, 86] }}
  template:
    spec:
      restartPolicy: Never
      terminationGracePeriodSeconds: 120
      containers:
        - name: run
          image: FILL-IN
          command: [{words}]
          volumeMounts:
            - {{ name: store, mountPath: {folder} }}
      volumes:
        - name: store
          persistentVolumeClaim: {{ claimName: FILL-IN }}
"#,
        name = object_name(name),
        words = words.join(", "),
    )
    .expect("a string takes it");
    text
}

/// As Kubernetes names things: lower case, digits and `-`.
fn object_name(name: &str) -> String {
    let plain = |c: char| match c {
        'a'..='z' | '0'..='9' => c,
        'A'..='Z' => c.to_ascii_lowercase(),
        _ => '-',
    };
    let name: String = name.chars().map(plain).take(50).collect();
    let name = name.trim_matches('-');
    if name.is_empty() { "sweep".to_string() } else { name.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_example_says_what_it_is_and_quotes_what_it_has() {
        let command = RunCommand {
            program: "/opt/cyclelab".into(),
            sweep_dir: "/data/a \"b\": #c".into(),
            plan: "3f9c".into(),
            arguments: vec![],
        };
        let text = example("Lambda_x.2", 12, &command);
        assert!(text.starts_with("# An example, not run by us."), "{text}");
        assert!(
            text.contains("  name: lambda-x-2\n") && text.contains("completions: 12\n"),
            "{text}"
        );
        let words = r#"["/opt/cyclelab", "run", "--sweep-dir", "/data/a \"b\": #c", "--plan", "3f9c", "--index-env", "JOB_COMPLETION_INDEX"]"#;
        assert!(text.contains(words), "{text}");
        assert!(text.contains(r#"mountPath: "/data/a \"b\": #c" }"#), "{text}");
        assert_eq!(object_name("---"), "sweep");
    }
}
