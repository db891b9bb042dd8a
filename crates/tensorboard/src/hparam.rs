//! Hyperparameters, as the HPARAMS dashboard tabulates them: a row a session, which is a run.

use crate::message::hparams::{
    DataType, Domain, ExperimentInfo, HParamInfo, HParamsPluginData, Interval, Kind, ListValue,
    MetricInfo, MetricName, PluginContent, SessionEndInfo, SessionStartInfo, Status, StructValue,
};

#[derive(Debug, Clone, PartialEq)]
pub enum HParam {
    Bool(bool),
    Number(f64),
    Text(String),
}

/// One run's values, and how it went.
#[derive(Debug, Clone, PartialEq)]
pub struct Session {
    pub hparams: Vec<(String, HParam)>,
    /// Seconds since the Unix epoch, as in `ended`.
    pub started: f64,
    /// `None` for one that goes on, or may.
    pub ended: Option<(f64, Outcome)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Success,
    Failure,
}

/// The columns of the table.
///
/// TensorBoard takes them from whichever session it meets first, so all of a log folder get the
/// same.
#[derive(Debug, Clone, PartialEq)]
pub struct Experiment {
    info: ExperimentInfo,
}

impl Experiment {
    /// Columns in order of appearance: the hyperparameters of all `sessions`, and as metrics the
    /// last values of the scalars with these tags.
    pub fn of(sessions: &[Session], metrics: &[String]) -> Experiment {
        let mut columns: Vec<(&str, Vec<&HParam>)> = Vec::new();
        for (name, value) in sessions.iter().flat_map(|session| &session.hparams) {
            match columns.iter_mut().find(|(column, _)| column == name) {
                Some((_, values)) => values.push(value),
                None => columns.push((name, vec![value])),
            }
        }
        let hparams = columns.into_iter().map(|(name, values)| column(name, &values)).collect();
        let metric = |tag: &String| MetricInfo { name: Some(MetricName { tag: tag.clone() }) };
        Experiment {
            info: ExperimentInfo { hparams, metrics: metrics.iter().map(metric).collect() },
        }
    }

    pub(crate) fn message(&self) -> HParamsPluginData {
        plugin_data(PluginContent::Experiment(self.info.clone()))
    }

    /// A session's values as their columns have them.
    pub(crate) fn start_of(&self, session: &Session) -> HParamsPluginData {
        let is_text = |name: &str| {
            let column = self.info.hparams.iter().find(|it| it.name == name);
            column.is_none_or(|it| it.data_type() == DataType::String)
        };
        let value = |(name, value): &(String, HParam)| {
            let value = if is_text(name) { text(value) } else { plain(value) };
            (name.clone(), value)
        };
        plugin_data(PluginContent::SessionStart(SessionStartInfo {
            hparams: session.hparams.iter().map(value).collect(),
            start_time_s: session.started,
        }))
    }
}

impl Outcome {
    pub(crate) fn message(self, end_time_s: f64) -> HParamsPluginData {
        let status = match self {
            Outcome::Success => Status::Success,
            Outcome::Failure => Status::Failure,
        };
        plugin_data(PluginContent::SessionEnd(SessionEndInfo { status: status.into(), end_time_s }))
    }
}

/// Type and domain, by which the dashboard filters, and finds no value of another type. So where
/// types mix, all are text.
fn column(name: &str, values: &[&HParam]) -> HParamInfo {
    let mut types = values.iter().map(|value| data_type(value));
    let first = types.next().unwrap_or(DataType::Unset);
    let data_type = if types.all(|it| it == first) { first } else { DataType::String };
    let (domain, differs) = match data_type {
        DataType::Float64 => interval(values),
        DataType::Bool => discrete(values, plain),
        DataType::String | DataType::Unset => discrete(values, text),
    };
    HParamInfo { name: name.to_owned(), data_type: data_type.into(), domain: Some(domain), differs }
}

fn data_type(value: &HParam) -> DataType {
    match value {
        HParam::Bool(_) => DataType::Bool,
        // The plugin's answers are JSON, which has no other numbers.
        HParam::Number(number) if number.is_finite() => DataType::Float64,
        HParam::Number(_) | HParam::Text(_) => DataType::String,
    }
}

fn interval(values: &[&HParam]) -> (Domain, bool) {
    let numbers = values.iter().filter_map(|value| match value {
        HParam::Number(number) => Some(*number),
        _ => None,
    });
    let (min, max) = numbers.fold((f64::INFINITY, f64::NEG_INFINITY), |(min, max), number| {
        (min.min(number), max.max(number))
    });
    (Domain::Interval(Interval { min, max }), min < max)
}

fn discrete(values: &[&HParam], message: fn(&HParam) -> StructValue) -> (Domain, bool) {
    let mut values = values.to_vec();
    values.sort_by_key(|value| words(value));
    values.dedup_by_key(|value| words(value));
    let differs = values.len() > 1;
    let values = values.into_iter().map(message).collect();
    (Domain::Discrete(ListValue { values }), differs)
}

fn plain(value: &HParam) -> StructValue {
    let kind = match value {
        HParam::Bool(value) => Kind::Bool(*value),
        HParam::Number(value) => Kind::Number(*value),
        HParam::Text(value) => Kind::String(value.clone()),
    };
    StructValue { kind: Some(kind) }
}

fn text(value: &HParam) -> StructValue {
    StructValue { kind: Some(Kind::String(words(value))) }
}

fn words(value: &HParam) -> String {
    match value {
        HParam::Bool(value) => value.to_string(),
        HParam::Number(value) => value.to_string(),
        HParam::Text(value) => value.clone(),
    }
}

fn plugin_data(content: PluginContent) -> HParamsPluginData {
    HParamsPluginData { content: Some(content) }
}
