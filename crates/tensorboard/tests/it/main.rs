//! What is written, against TensorBoard's own writer and against a reader that shares no code with
//! ours.

mod folders;
mod hyperparameters;
mod reader;
mod same_bytes;
mod series;
