//! How many runs at a time, where, and with how many threads each.

use runner::{ComputeDevice, PreparedSweep};
use spec::Plan;

use crate::terminal::plural;

/// The devices a plan asks for; why others are not used is said aloud.
pub(crate) fn usable_devices(plan: &Plan) -> anyhow::Result<Vec<ComputeDevice>> {
    let (devices, refused) = ComputeDevice::resolve(&plan.exec.devices)?;
    for reason in refused {
        say!("note: {reason}");
    }
    Ok(devices)
}

/// One slot per run that may be trained at a time here.
pub(crate) fn whole_machine(
    prepared: &PreparedSweep,
    devices: &[ComputeDevice],
) -> Vec<ComputeDevice> {
    let left = prepared.to_do().count();
    runner::sweep::slots(&prepared.plan.exec, devices, cores(), left)
}

/// The CPU's cores shared out among runs side by side.
pub(crate) fn threads_per_run(slots: &[ComputeDevice]) -> usize {
    let on_cpu = slots.iter().filter(|&&device| device == ComputeDevice::Cpu).count();
    (cores() / on_cpu.max(1)).max(1)
}

/// `2 runs at a time on cpu, 1 thread each`, device by device.
pub(crate) fn in_words(slots: &[ComputeDevice]) -> String {
    let devices = slots.iter().enumerate().filter(|(i, it)| !slots[..*i].contains(it));
    let words = devices.map(|(_, device)| {
        let n = slots.iter().filter(|it| *it == device).count();
        let threads = match device {
            ComputeDevice::Cpu => format!(", {} each", plural(threads_per_run(slots), "thread")),
            ComputeDevice::Cuda(_) => String::new(),
        };
        format!("{} at a time on {device}{threads}", plural(n, "run"))
    });
    words.collect::<Vec<_>>().join("; ")
}

/// Cores this process may use.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
