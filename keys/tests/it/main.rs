//! Tests of meed-keys from the outside: vectors, foreign implementations, properties, key files.

#[cfg(test)]
mod bad_vectors;
#[cfg(test)]
mod foreign;
#[cfg(test)]
mod go_vectors;
#[cfg(test)]
mod notes;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod quorum;
#[cfg(test)]
mod sealing;
#[cfg(test)]
mod support;
