//! What is on a disk after a power cut, by the strictest reading of fsync: of a file the bytes it
//! had when it was last fsynced, of a folder the names it had when *it* was.
//!
//! Fed with the system calls of a process, as strace writes them with `-y -xx`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What `apply` understands.
pub(crate) const CALLS: &str = "openat,lseek,write,pwrite64,writev,ftruncate,fsync,fdatasync,\
    rename,renameat,renameat2,link,linkat,unlink,unlinkat,rmdir,mkdir,mkdirat";

/// Which names a power cut leaves: the file system may have written more than it was asked to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Names {
    Synced,
    All,
}

#[derive(Clone)]
pub(crate) struct SyncedDisk {
    root: PathBuf,
    /// The first is the root.
    nodes: Vec<Node>,
    open: BTreeMap<u32, Open>,
}

#[derive(Clone)]
enum Node {
    File { now: Vec<u8>, kept: Vec<u8> },
    Folder { now: Entries, kept: Entries },
}

type Entries = BTreeMap<String, usize>;

#[derive(Clone)]
struct Open {
    node: usize,
    at: usize,
    appends: bool,
}

/// One line of strace's.
pub(crate) struct Line<'a> {
    pub(crate) name: &'a str,
    arguments: &'a str,
    /// Of a call that failed there is none.
    result: u64,
    /// Decoded, in order.
    pub(crate) texts: Vec<Vec<u8>>,
}

impl<'a> Line<'a> {
    pub(crate) fn parse(line: &'a str) -> Option<Self> {
        let (name, rest) = line.split_once('(')?;
        let (arguments, result) = rest.rsplit_once(" = ")?;
        let digits = result.find(|c: char| !c.is_ascii_digit()).unwrap_or(result.len());
        let result = result[..digits].parse().ok()?;
        let texts = arguments.split('"').skip(1).step_by(2).map(decoded).collect();
        Some(Line { name, arguments, result, texts })
    }

    fn path(&self, nth: usize) -> PathBuf {
        PathBuf::from(String::from_utf8_lossy(&self.texts[nth]).into_owned())
    }

    /// The first argument, as a number and as what strace says it is open on.
    pub(crate) fn descriptor(&self) -> (u32, PathBuf) {
        let number = self.arguments.split(['<', ',', ')']).next().unwrap_or_default();
        (number.parse().unwrap_or(u32::MAX), self.folder(0))
    }

    /// What the nth descriptor among the arguments is open on.
    fn folder(&self, nth: usize) -> PathBuf {
        let inside = |it: &str| it.split_once('>').map(|(inside, _)| decoded(inside));
        let path = self.arguments.split('<').skip(1).filter_map(inside).nth(nth);
        PathBuf::from(String::from_utf8_lossy(&path.unwrap_or_default()).into_owned())
    }

    fn number(&self, nth: usize) -> usize {
        let number = self
            .arguments
            .split(", ")
            .nth(nth)
            .and_then(|it| it.trim_end_matches(')').parse().ok());
        number.expect("a number where this call has one")
    }
}

/// `\x2f\x74` and so on.
fn decoded(text: &str) -> Vec<u8> {
    let byte = |hex: &str| u8::from_str_radix(hex.get(..2)?, 16).ok();
    text.split("\\x").skip(1).filter_map(byte).collect()
}

impl SyncedDisk {
    /// A folder all of which is on the disk.
    pub(crate) fn of(root: &Path) -> Self {
        let mut disk =
            SyncedDisk { root: root.to_path_buf(), nodes: vec![], open: BTreeMap::new() };
        disk.take_in(root);
        disk
    }

    fn take_in(&mut self, path: &Path) -> usize {
        let at = self.nodes.len();
        if path.is_file() {
            let bytes = std::fs::read(path).expect("a file");
            self.nodes.push(Node::File { now: bytes.clone(), kept: bytes });
            return at;
        }
        self.nodes.push(Node::Folder { now: Entries::new(), kept: Entries::new() });
        let mut entries = Entries::new();
        for entry in std::fs::read_dir(path).expect("a folder") {
            let path = entry.expect("readable").path();
            entries.insert(name_of(&path), self.take_in(&path));
        }
        self.nodes[at] = Node::Folder { now: entries.clone(), kept: entries };
        at
    }

    /// What is there after a power cut now, into an empty place.
    pub(crate) fn leave(&self, names: Names, to: &Path) {
        self.leave_node(0, names, to);
    }

    fn leave_node(&self, node: usize, names: Names, to: &Path) {
        match &self.nodes[node] {
            Node::File { kept, .. } => std::fs::write(to, kept).expect("a writable folder"),
            Node::Folder { now, kept } => {
                std::fs::create_dir(to).expect("a writable folder");
                for (name, &node) in if names == Names::All { now } else { kept } {
                    self.leave_node(node, names, &to.join(name));
                }
            }
        }
    }

    /// One call, made from the folder `from`. Those on other places are looked past.
    pub(crate) fn apply(&mut self, line: &Line<'_>, from: &Path) {
        match line.name {
            "openat" => self.open(line, from),
            "lseek" | "write" | "writev" | "pwrite64" | "ftruncate" | "fsync" | "fdatasync" => {
                self.on_open(line);
            }
            "mkdir" | "mkdirat" => {
                let folder = Node::Folder { now: Entries::new(), kept: Entries::new() };
                self.add(&from.join(line.path(0)), folder);
            }
            "rename" | "renameat" | "renameat2" => {
                if let Some(node) = self.remove(&from.join(line.path(0))) {
                    self.link(&from.join(line.path(1)), node);
                }
            }
            "link" | "linkat" => {
                if let Some(node) = self.find(&from.join(line.path(0))) {
                    self.link(&from.join(line.path(1)), node);
                }
            }
            "unlink" | "rmdir" => drop(self.remove(&from.join(line.path(0)))),
            "unlinkat" => drop(self.remove(&line.folder(0).join(line.path(0)))),
            other => panic!("{other}: nothing is known of this call"),
        }
    }

    fn open(&mut self, line: &Line<'_>, from: &Path) {
        let descriptor = line.result as u32;
        self.open.remove(&descriptor);
        let path = from.join(line.path(0));
        let node = match self.find(&path) {
            Some(node) => Some(node),
            None if line.arguments.contains("O_CREAT") => {
                self.add(&path, Node::File { now: vec![], kept: vec![] })
            }
            None => None,
        };
        let Some(node) = node else { return };
        if let (Node::File { now, .. }, true) =
            (&mut self.nodes[node], line.arguments.contains("O_TRUNC"))
        {
            now.clear();
        }
        let appends = line.arguments.contains("O_APPEND");
        self.open.insert(descriptor, Open { node, at: 0, appends });
    }

    fn on_open(&mut self, line: &Line<'_>) {
        let (descriptor, path) = line.descriptor();
        // A number may have been given anew to what is of no interest here.
        let Some(open) = self.open.get_mut(&descriptor).filter(|_| path.starts_with(&self.root))
        else {
            return;
        };
        match (&mut self.nodes[open.node], line.name) {
            (Node::Folder { now, kept }, "fsync") => kept.clone_from(now),
            (Node::File { now, kept }, "fsync" | "fdatasync") => kept.clone_from(now),
            (Node::File { .. }, "lseek") => open.at = line.result as usize,
            (Node::File { now, .. }, "ftruncate") => now.resize(line.number(1), 0),
            (Node::File { now, .. }, name) => {
                let bytes = &line.texts.concat()[..line.result as usize];
                let at = match name {
                    "pwrite64" => line.number(3),
                    _ if open.appends => now.len(),
                    _ => open.at,
                };
                now.resize(now.len().max(at + bytes.len()), 0);
                now[at..at + bytes.len()].copy_from_slice(bytes);
                if name != "pwrite64" {
                    open.at = at + bytes.len();
                }
            }
            (Node::Folder { .. }, _) => {}
        }
    }

    fn find(&self, path: &Path) -> Option<usize> {
        path.strip_prefix(&self.root).ok()?.iter().try_fold(0, |at, name| match &self.nodes[at] {
            Node::Folder { now, .. } => now.get(name.to_str()?).copied(),
            Node::File { .. } => None,
        })
    }

    fn add(&mut self, path: &Path, node: Node) -> Option<usize> {
        self.find(path.parent()?)?;
        self.nodes.push(node);
        self.link(path, self.nodes.len() - 1);
        Some(self.nodes.len() - 1)
    }

    fn link(&mut self, path: &Path, node: usize) {
        if let Some(entries) = self.entries_around(path) {
            entries.insert(name_of(path), node);
        }
    }

    fn remove(&mut self, path: &Path) -> Option<usize> {
        self.entries_around(path)?.remove(&name_of(path))
    }

    fn entries_around(&mut self, path: &Path) -> Option<&mut Entries> {
        let folder = self.find(path.parent()?)?;
        match &mut self.nodes[folder] {
            Node::Folder { now, .. } => Some(now),
            Node::File { .. } => None,
        }
    }
}

fn name_of(path: &Path) -> String {
    path.file_name().expect("below the root").to_string_lossy().into_owned()
}
