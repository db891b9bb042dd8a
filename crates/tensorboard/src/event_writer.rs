//! One run's event file.

use std::fs;
use std::io::{self, BufWriter};
use std::path::{Component, Path, PathBuf};

use prost::Message;
use tempfile::NamedTempFile;

use crate::error::TensorboardError;
use crate::hparam::{Experiment, Session};
use crate::message::hparams::HParamsPluginData;
use crate::message::{
    Content, Event, Image, PluginData, Summary, SummaryMetadata, TensorProto, Value, What,
};
use crate::record::write_record;

/// `tfevents` is what TensorBoard looks for in a name. There is no time in this one, unlike in
/// TensorFlow's: a run that is written once more replaces its file, where a second would be drawn
/// over the first.
const FILE_NAME: &str = "events.out.tfevents.cyclelab";

/// When something was recorded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moment {
    pub step: u64,
    /// Seconds since the Unix epoch.
    pub wall_time: f64,
}

/// Writes one run's events, in any order; a series is drawn in the order of its steps. The file has
/// its name only once it is whole, see [`EventWriter::finish`].
pub struct EventWriter {
    path: PathBuf,
    out: BufWriter<NamedTempFile>,
    /// Encoded messages, one after the other.
    buffer: Vec<u8>,
}

impl EventWriter {
    /// `run` is the name of the run's folder below `logdir`, and what TensorBoard calls it.
    ///
    /// # Errors
    /// `RunName`, `CreateDir`, `Write`.
    pub fn create(logdir: &Path, run: &str, wall_time: f64) -> Result<Self, TensorboardError> {
        let folder = run_folder(logdir, run)?;
        fs::create_dir_all(&folder)
            .map_err(|source| TensorboardError::CreateDir { path: folder.clone(), source })?;
        let path = folder.join(FILE_NAME);
        let file = beside(&folder)
            .map_err(|source| TensorboardError::Write { path: path.clone(), source })?;
        let mut writer = EventWriter { path, out: BufWriter::new(file), buffer: Vec::new() };
        // Asked for by readers in the first event.
        let version = What::FileVersion("brain.Event:2".to_owned());
        writer.event(Event { wall_time, step: 0, what: Some(version) })?;
        Ok(writer)
    }

    /// TensorBoard has 32 bits for a scalar; NaN and infinities stay what they are.
    ///
    /// # Errors
    /// `Write`.
    pub fn scalar(&mut self, tag: &str, at: Moment, value: f64) -> Result<(), TensorboardError> {
        self.value(tag, at, Content::SimpleValue(value as f32), None)
    }

    /// `png` is not looked at: TensorBoard hands it to the browser as it is.
    ///
    /// # Errors
    /// `Write`.
    pub fn image_png(
        &mut self,
        tag: &str,
        at: Moment,
        width: u32,
        height: u32,
        png: Vec<u8>,
    ) -> Result<(), TensorboardError> {
        const RGB: i32 = 3;
        let [width, height] = [width, height].map(|side| i32::try_from(side).unwrap_or(i32::MAX));
        let image = Image { height, width, colorspace: RGB, encoded_image: png };
        self.value(tag, at, Content::Image(image), None)
    }

    /// This run's row in the HPARAMS dashboard, and the columns that all runs share.
    ///
    /// # Errors
    /// `Write`.
    pub fn hparams(
        &mut self,
        experiment: &Experiment,
        session: &Session,
    ) -> Result<(), TensorboardError> {
        let started = Moment { step: 0, wall_time: session.started };
        self.plugin("_hparams_/experiment", started, &experiment.message())?;
        self.plugin("_hparams_/session_start_info", started, &experiment.start_of(session))?;
        let Some((wall_time, outcome)) = session.ended else { return Ok(()) };
        let ended = Moment { step: 0, wall_time };
        self.plugin("_hparams_/session_end_info", ended, &outcome.message(wall_time))
    }

    /// Puts the file in its place, where it replaces an earlier one, and returns its path. A writer
    /// that is dropped before leaves no file.
    ///
    /// # Errors
    /// `Write`.
    pub fn finish(self) -> Result<PathBuf, TensorboardError> {
        let EventWriter { path, out, .. } = self;
        let whole = out.into_inner().map_err(io::IntoInnerError::into_error);
        match whole.and_then(|file| file.persist(&path).map_err(|error| error.error)) {
            Ok(_) => Ok(path),
            Err(source) => Err(TensorboardError::Write { path, source }),
        }
    }

    /// The plugin reads its messages where others have their description.
    fn plugin(
        &mut self,
        tag: &str,
        at: Moment,
        message: &HParamsPluginData,
    ) -> Result<(), TensorboardError> {
        let content = message.encode_to_vec();
        let plugin_data = Some(PluginData { plugin_name: "hparams".to_owned(), content });
        let metadata = Some(SummaryMetadata { plugin_data });
        self.value(tag, at, Content::Tensor(TensorProto::empty()), metadata)
    }

    fn value(
        &mut self,
        tag: &str,
        at: Moment,
        content: Content,
        metadata: Option<SummaryMetadata>,
    ) -> Result<(), TensorboardError> {
        let value = Value { tag: tag.to_owned(), content: Some(content), metadata };
        let step = i64::try_from(at.step).unwrap_or(i64::MAX);
        let what = Some(What::Summary(Summary { values: vec![value] }));
        self.event(Event { wall_time: at.wall_time, step, what })
    }

    fn event(&mut self, event: Event) -> Result<(), TensorboardError> {
        self.buffer.clear();
        event.encode(&mut self.buffer).expect("a `Vec` grows to any message");
        write_record(&mut self.out, &self.buffer)
            .map_err(|source| TensorboardError::Write { path: self.path.clone(), source })
    }
}

fn run_folder(logdir: &Path, run: &str) -> Result<PathBuf, TensorboardError> {
    let mut parts = Path::new(run).components();
    let below = !run.is_empty() && parts.all(|part| matches!(part, Component::Normal(_)));
    below
        .then(|| logdir.join(run))
        .ok_or_else(|| TensorboardError::RunName { name: run.to_owned() })
}

/// Under a name that TensorBoard passes over.
fn beside(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".tmp-");
    // The crate's own default of 0600 would lock colleagues out.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}
