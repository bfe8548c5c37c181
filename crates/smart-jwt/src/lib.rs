//! JSON Web Keys, ID-token validation and client assertions for SMART App Launch, without I/O
