//! An OpenContrail on one host.
