//! Storage of SMART sessions: one trait, its backends, and the contract suite that every backend passes
