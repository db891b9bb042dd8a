//! Sample images and the list of them. A file is listed only once it is whole,
//! so a reader follows `samples.jsonl` and never the folder.

use crate::durable;
use crate::error::TrackError;
use crate::jsonl::{self, JsonLines};
use crate::layout::{self, RunDir};
use crate::lease::Claim;
use crate::record::{SampleKind, SampleRecord};

/// The only writer of a run's `samples/`; its owner holds the run's lock.
pub struct SampleWriter {
    run: RunDir,
    lines: JsonLines,
}

impl SampleWriter {
    /// `rewind_to`, as for the metrics: samples after that step leave the list.
    /// Their images stay until the attempt comes by and replaces them.
    pub fn open(run: &RunDir, rewind_to: Option<u64>) -> Result<Self, TrackError> {
        let path = run.samples_jsonl();
        durable::create_dir(&run.samples())?;
        if let Some(step) = rewind_to {
            let (samples, bad) = jsonl::read::<SampleRecord>(&path)?;
            let listed = samples.len();
            let kept: Vec<_> = samples.into_iter().filter(|it| it.step <= step).collect();
            if kept.len() < listed || !bad.is_empty() {
                durable::replace(&path, &lines_of(&kept))?;
            }
        }
        Ok(SampleWriter { run: run.clone(), lines: JsonLines::open(&path)? })
    }

    /// Writes a sample's file, in place of one of an earlier attempt, and then lists it.
    ///
    /// # Errors
    /// `Fenced` where the run has another owner by now; then nothing is written.
    pub fn put(
        &mut self,
        claim: &Claim,
        step: u64,
        domain: &str,
        id: &str,
        kind: SampleKind,
        png: &[u8],
    ) -> Result<(), TrackError> {
        claim.confirm()?;
        let path = layout::sample_path(step, domain, id, kind);
        let file = self.run.path().join(&path);
        durable::create_dir(file.parent().expect("a sample lies in its step's folder"))?;
        durable::replace(&file, png)?;
        let (domain, id) = (domain.to_owned(), id.to_owned());
        self.lines.append(&SampleRecord { step, domain, id, kind, path })
    }
}

impl RunDir {
    /// Samples listed, later lines in place of earlier ones for the same file,
    /// and what was wrong with lines that are none.
    pub(crate) fn read_samples(&self) -> Result<(Vec<SampleRecord>, Vec<String>), TrackError> {
        let (mut samples, bad) = jsonl::read::<SampleRecord>(&self.samples_jsonl())?;
        let order = |it: &SampleRecord| (it.step, it.domain.clone(), it.id.clone(), it.kind);
        samples.sort_by_key(order);
        samples.dedup_by_key(|it| order(it));
        Ok((samples, bad))
    }
}

pub(crate) fn lines_of(samples: &[SampleRecord]) -> Vec<u8> {
    let mut text = Vec::new();
    for sample in samples {
        text.extend(serde_json::to_vec(sample).expect("strings and numbers are JSON"));
        text.push(b'\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn listed_replaced_and_rewound() {
        let store = fixture::Store::new();
        let claim = store.run.claim().unwrap();
        let mut writer = SampleWriter::open(&store.run, None).unwrap();
        for (n, step) in [20, 10, 10, 30].into_iter().enumerate() {
            writer.put(&claim, step, "a", "x/1.png", SampleKind::Fake, &[n as u8]).unwrap();
        }
        let listed = store.run.read_samples().unwrap().0;
        let bytes =
            |sample: &SampleRecord| std::fs::read(store.run.path().join(&sample.path)).unwrap();
        assert_eq!(listed.iter().map(bytes).collect::<Vec<_>>(), [[2], [0], [3]]);
        let steps = || -> Vec<u64> {
            store.run.read_samples().unwrap().0.iter().map(|sample| sample.step).collect()
        };
        assert_eq!(steps(), [10, 20, 30]);
        drop(SampleWriter::open(&store.run, None).unwrap());
        assert_eq!(steps(), [10, 20, 30]);
        drop(SampleWriter::open(&store.run, Some(20)).unwrap());
        assert_eq!(steps(), [10, 20]);
    }

    #[test]
    fn every_kind_is_listed_by_its_file_s_name() {
        use SampleKind::{Fake, Idt, Real, Rec, Truth};
        let store = fixture::Store::new();
        let claim = store.run.claim().unwrap();
        let mut writer = SampleWriter::open(&store.run, None).unwrap();
        for kind in [Real, Fake, Rec, Idt, Truth] {
            writer.put(&claim, 7, "b", "x", kind, b"png").unwrap();
            let path = format!("samples/step-0000007/b_x.{}.png", kind.as_str());
            assert!(store.run.path().join(path).is_file(), "{kind:?}");
            assert_eq!(serde_json::json!(kind), kind.as_str());
        }
        let kinds: Vec<_> = store.run.read_samples().unwrap().0.iter().map(|it| it.kind).collect();
        assert_eq!(kinds, [Real, Fake, Rec, Idt, Truth]);
    }
}
