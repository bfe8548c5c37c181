//! SMART App Launch flows and sessions: standalone launch, token manager, revocation and introspection
