//! The meed program as a library: sources, the service over the ledger, its HTTP router, and the command line.
//!
//! One command takes one way: the command line parses it and sends a request to the router in this process, the
//! router hands it to the service, the service sends it to the ledger's writer or reads a snapshot.
//!
//! Architecture invariant: only this room reads the clock, asks for randomness, and reads and writes files of people.
//! `sign` and `verify` are the exceptions to the one way: they need no ledger and must work without one.

pub mod api;
pub mod cli;
pub mod client;

pub mod clock;

pub mod config;
pub mod demo;
mod doctor;
pub mod failure;
pub mod files;
pub mod key_command;
mod nearest;
pub mod schedule;
pub mod serve;
pub mod service;
pub mod session;
mod shares;

pub mod sign;
pub mod sources;
pub mod verify_command;
pub mod web;
mod words;
pub mod workflow;
