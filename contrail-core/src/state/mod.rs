//! State that processes of one host share: locks on VM interfaces.

pub mod lock;
