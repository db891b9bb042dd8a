//! A job of Slurm's that puts itself back into the queue once it has saved: after the end of its time, and
//! where it gives way to another job.

use cluster::slurm::Client;

use crate::args::RequeueArg;

/// What could not be put back is told, and no failure: the run is saved, and can be sent again.
pub(super) fn this_job(rule: RequeueArg, most: u32, out_of_time: bool) {
    let variable = |name: &str| std::env::var(name).ok();
    let Some(job) = job(&variable) else { return };
    let client = Client::new(std::env::vars_os());
    // Slurm puts back what it had to kill. What ends by itself within the partition's `GraceTime` it
    // takes for a failure. (By TERM too: only Slurm knows that it was not cancelled.)
    let gives_way = client.is_preempted(&job).unwrap_or_else(|error| {
        say!("note: it is not known whether job {job} was to give way: {error}");
        false
    });
    if !gives_way {
        if rule == RequeueArg::Slurm || !out_of_time {
            return;
        }
        let count = variable("SLURM_RESTART_COUNT").and_then(|it| it.parse().ok()).unwrap_or(0);
        if count >= most {
            say!(
                "job {job} was put back {count} times, as often as max_requeues allows; it ends here"
            );
            return;
        }
    }
    match client.requeue(&job) {
        Ok(()) => say!("job {job} goes back into the queue, and on from there"),
        Err(error) => say!("warning: job {job} could not be put back into the queue: {error}"),
    }
}

/// `12_3` of an array's task; `None` outside Slurm, and where what stands there is no number.
fn job(variable: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let number = |name: &str| {
        let is_number = |it: &String| !it.is_empty() && it.bytes().all(|c| c.is_ascii_digit());
        variable(name).filter(is_number)
    };
    let lone = number("SLURM_JOB_ID")?;
    let array = number("SLURM_ARRAY_JOB_ID").zip(number("SLURM_ARRAY_TASK_ID"));
    Some(array.map_or(lone, |(array, task)| format!("{array}_{task}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_known_by_its_number() {
        let check = |given: &[(&str, &str)], expected: Option<&str>| {
            let variable = |name: &str| {
                given.iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_string())
            };
            assert_eq!(job(&variable).as_deref(), expected, "{given:?}");
        };
        let array = [("SLURM_ARRAY_JOB_ID", "12"), ("SLURM_ARRAY_TASK_ID", "3")];
        check(&[], None);
        check(&[("SLURM_JOB_ID", "17")], Some("17"));
        check(&[("SLURM_JOB_ID", "17"), array[0], array[1]], Some("12_3"));
        check(&[("SLURM_JOB_ID", "17"), array[0]], Some("17"));
        check(&[("SLURM_JOB_ID", "17; rm"), array[0], array[1]], None);
    }
}
