//! The machine that the server runs on: how much memory is free, how many processors there are, how busy they are.

use std::fs;
use std::path::{Path, PathBuf};

/// What there is to run models on.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Machine {
    /// Processors that this process may use.
    pub processors: u32,
    /// How busy all processors were over the last minute, 0 to 1.
    pub processor_load: f32,
    /// Memory that models could use if nothing else ran, in bytes: the machine's, or what its control group allows if that is less.
    pub memory_bytes: u64,
    /// Memory that is free for models, in bytes; what the system keeps only to save reading it again counts as free.
    pub memory_bytes_free: u64,
    /// Whether models run on a GPU. Then the caller has put its memory into the fields above.
    pub has_gpu: bool,
}

impl Machine {
    /// Looks at this machine now. What cannot be read is 0.
    pub fn here() -> Machine {
        Machine::at(Path::new("/proc"), Path::new("/sys/fs/cgroup"))
    }

    fn at(proc: &Path, groups: &Path) -> Machine {
        let read = |name: &str| fs::read_to_string(proc.join(name)).unwrap_or_default();
        let memory = read("meminfo");
        let mut memory_bytes = meminfo(&memory, "MemTotal").unwrap_or(0);
        let mut memory_bytes_free = meminfo(&memory, "MemAvailable").unwrap_or(0);
        for (limit, used) in group_bounds(&read("self/cgroup"), groups) {
            memory_bytes = memory_bytes.min(limit);
            memory_bytes_free = memory_bytes_free.min(limit.saturating_sub(used));
        }
        let all = read("cpuinfo").lines().filter(|line| line.starts_with("processor")).count().max(1);
        let busy = read("loadavg").split(' ').next().and_then(|load| load.parse::<f32>().ok()).unwrap_or(0.0);
        let processors =
            std::thread::available_parallelism().map_or(1, |count| u32::try_from(count.get()).unwrap_or(1));
        let processor_load = (busy / all as f32).clamp(0.0, 1.0);
        Machine { processors, processor_load, memory_bytes, memory_bytes_free, has_gpu: false }
    }
}

/// A line of `/proc/meminfo`, in bytes.
fn meminfo(text: &str, name: &str) -> Option<u64> {
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    let kib: u64 = value.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1 << 10)
}

/// Limit and use of each control group around this process that limits memory, from `/proc/self/cgroup`.
fn group_bounds(membership: &str, root: &Path) -> Vec<(u64, u64)> {
    let mut bounds = Vec::new();
    for line in membership.lines() {
        let mut fields = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (fields.next(), fields.next()) else { continue };
        // The one hierarchy of version 2 names no controllers; version 1 has one for memory.
        let (root, limit, used, cache) = if controllers.is_empty() {
            (root.to_owned(), "memory.max", "memory.current", "inactive_file")
        } else if controllers.split(',').any(|controller| controller == "memory") {
            (root.join("memory"), "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
        } else {
            continue;
        };
        for group in groups_around(&root, path) {
            let number = |name: &str| fs::read_to_string(group.join(name)).ok()?.trim().parse::<u64>().ok();
            let Some(limit) = number(limit) else { continue };
            let statistics = fs::read_to_string(group.join("memory.stat")).unwrap_or_default();
            let cached = statistics.lines().find_map(|line| line.strip_prefix(cache)?.trim().parse::<u64>().ok());
            let used = number(used).unwrap_or(0).saturating_sub(cached.unwrap_or(0));
            bounds.push((limit, used));
        }
    }
    bounds
}

/// A group and those around it, up to the root. In a container the path may be one of the machine outside; then only the root is there.
fn groups_around(root: &Path, path: &str) -> Vec<PathBuf> {
    let group = root.join(path.trim_start_matches('/'));
    group.ancestors().take_while(|folder| folder.starts_with(root)).map(Path::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEMINFO: &str = "MemTotal:       16000000 kB\nMemFree:  100 kB\nMemAvailable:    8000000 kB\n";

    fn machine(files: &[(&str, &str)]) -> Machine {
        let folder = tempfile::tempdir().expect("writable");
        for (path, text) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().expect("below the root")).expect("writable");
            fs::write(path, text).expect("writable");
        }
        Machine::at(&folder.path().join("proc"), &folder.path().join("groups"))
    }

    #[test]
    fn without_groups_the_machine_counts() {
        let cpuinfo = "processor\t: 0\nmodel name: x\nprocessor\t: 1\n";
        let machine = machine(&[
            ("proc/meminfo", MEMINFO),
            ("proc/loadavg", "1.00 0.5 0.2 1/300 4000\n"),
            ("proc/cpuinfo", cpuinfo),
        ]);
        assert_eq!((machine.memory_bytes, machine.memory_bytes_free), (16_000_000 << 10, 8_000_000 << 10));
        assert_eq!((machine.processor_load, machine.has_gpu), (0.5, false));
        assert!(machine.processors >= 1);
    }

    #[test]
    fn the_tightest_group_around_counts() {
        let machine = machine(&[
            ("proc/meminfo", MEMINFO),
            ("proc/self/cgroup", "0::/outer/inner\n"),
            ("groups/outer/memory.max", "4000000000\n"),
            ("groups/outer/memory.current", "3000000000\n"),
            ("groups/outer/memory.stat", "anon 5\ninactive_file 500000000\n"),
            ("groups/outer/inner/memory.max", "max\n"),
        ]);
        assert_eq!((machine.memory_bytes, machine.memory_bytes_free), (4_000_000_000, 1_500_000_000));
    }

    #[test]
    fn groups_of_version_1_count() {
        let machine = machine(&[
            ("proc/meminfo", MEMINFO),
            ("proc/self/cgroup", "5:cpu,cpuacct:/a\n4:memory:/not/here\n"),
            ("groups/memory/memory.limit_in_bytes", "2000000000\n"),
            ("groups/memory/memory.usage_in_bytes", "2500000000\n"),
            ("groups/memory/memory.stat", "inactive_file 1\ntotal_inactive_file 1000000000\n"),
        ]);
        assert_eq!((machine.memory_bytes, machine.memory_bytes_free), (2_000_000_000, 500_000_000));
    }

    #[test]
    fn what_cannot_be_read_is_nothing() {
        let machine = machine(&[("proc/meminfo", "MemTotal: many kB\n"), ("proc/self/cgroup", "nonsense\n0::\n")]);
        assert_eq!((machine.memory_bytes, machine.memory_bytes_free, machine.processor_load), (0, 0, 0.0));
    }

    #[test]
    fn this_machine_has_memory_and_processors() {
        let machine = Machine::here();
        assert!(machine.memory_bytes >= machine.memory_bytes_free && machine.memory_bytes > 1 << 26, "{machine:?}");
    }
}
