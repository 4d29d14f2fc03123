//! The meed program as a library: sources, workflows and faces.

pub mod sources;
