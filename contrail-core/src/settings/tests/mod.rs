//! Settings as a whole, from sources to typed values.

mod keystone;
mod sources;
mod text;
mod tls;
mod vnc_api_lib;
mod world;
