//! A job of Slurm's that puts itself back into the queue, so that it goes on after the end of its time.

use cluster::slurm::Client;

/// What could not be put back is told, and no failure: the run is saved, and can be sent again.
pub(super) fn this_job(most: u32) {
    let variable = |name: &str| std::env::var(name).ok();
    let Some(job) = job(&variable) else { return };
    let count = variable("SLURM_RESTART_COUNT").and_then(|it| it.parse().ok()).unwrap_or(0);
    if count >= most {
        say!("job {job} was put back {count} times, as often as max_requeues allows; it ends here");
        return;
    }
    match Client::new(std::env::vars_os()).requeue(&job) {
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
