use crate::exit::Exit;

/// The JSON Schema of sweep files, on standard output.
pub(crate) fn schema() -> anyhow::Result<Exit> {
    tell!("{}", crate::terminal::json(&spec::schema())?);
    Ok(Exit::Done)
}
