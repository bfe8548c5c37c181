//! The lies.

/// What is wrong with an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Lie {
    /// No answer for half a minute.
    Silence,
    /// An HTML page with status 200.
    Html,
    /// No body at all.
    Empty,
    /// The connection breaks in the middle of the body.
    Truncated,
    /// A body without end, as fast as it goes.
    Endless,
    /// A body of which an octet comes now and then, without end.
    Drip,
    /// Status 500, with words that are no OAuth error.
    ServerError,
    /// Status 503, to be tried again in thirty years.
    Unavailable,
    /// Status 429 with a `Retry-After` that cannot be read.
    TooMany,
    /// A redirect to another origin.
    RedirectElsewhere,
    /// A redirect to the same URL.
    RedirectLoop,
    /// The right body as an image.
    WrongContentType,
    /// Octets that are no text.
    NotUtf8,
    /// JSON nested a hundred thousand times.
    DeepNesting,
    /// Something else than an object.
    NotAnObject,
    /// Each member twice, first with another value.
    DoubledMembers,
    /// The discovery document names the keys of another origin.
    KeysElsewhere,
    /// The discovery document names another issuer.
    OtherIssuer,
    /// The discovery document has no token endpoint.
    NoTokenEndpoint,
    /// The discovery document offers PKCE `plain` only.
    PlainPkceOnly,
    /// An endpoint is a script.
    ScriptEndpoint,
    /// No keys.
    NoKeys,
    /// A symmetric key in place of the right ones.
    SymmetricKey,
    /// Ten thousand keys.
    ManyKeys,
    /// The callback has no state.
    NoState,
    /// The callback has another state.
    OtherState,
    /// The callback names another issuer.
    CallbackIssuer,
    /// The callback has two codes.
    TwoCodes,
    /// The callback has a code and an error.
    CodeAndError,
    /// The callback has another code.
    OtherCode,
    /// The callback has an access token beside the code.
    TokenInCallback,
    /// The answer of the token endpoint has no access token.
    NoAccessToken,
    /// An access token with a line break, which would be a header of its own.
    TokenWithLineBreak,
    /// An access token of a megabyte.
    HugeToken,
    /// A token of another type.
    OtherTokenType,
    /// A life below nothing.
    NegativeLife,
    /// A life longer than the universe's.
    EndlessLife,
    /// More scopes than were asked for.
    MoreScopes,
    /// A patient of another server.
    PatientElsewhere,
    /// A patient id that leads out of the FHIR base.
    PatientPath,
    /// No ID token.
    NoIdToken,
    /// The ID token without its signature.
    UnsignedIdToken,
    /// One letter of the ID token is another.
    AlteredIdToken,
    /// A refresh token that is empty.
    EmptyRefreshToken,
    /// A resource with another id than was asked for.
    OtherId,
    /// A resource of another type.
    OtherType,
    /// The next page lies on another origin.
    NextElsewhere,
    /// The next page is this page.
    NextItself,
}

impl Lie {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::Silence,
        Self::Html,
        Self::Empty,
        Self::Truncated,
        Self::Endless,
        Self::Drip,
        Self::ServerError,
        Self::Unavailable,
        Self::TooMany,
        Self::RedirectElsewhere,
        Self::RedirectLoop,
        Self::WrongContentType,
        Self::NotUtf8,
        Self::DeepNesting,
        Self::NotAnObject,
        Self::DoubledMembers,
        Self::KeysElsewhere,
        Self::OtherIssuer,
        Self::NoTokenEndpoint,
        Self::PlainPkceOnly,
        Self::ScriptEndpoint,
        Self::NoKeys,
        Self::SymmetricKey,
        Self::ManyKeys,
        Self::NoState,
        Self::OtherState,
        Self::CallbackIssuer,
        Self::TwoCodes,
        Self::CodeAndError,
        Self::OtherCode,
        Self::TokenInCallback,
        Self::NoAccessToken,
        Self::TokenWithLineBreak,
        Self::HugeToken,
        Self::OtherTokenType,
        Self::NegativeLife,
        Self::EndlessLife,
        Self::MoreScopes,
        Self::PatientElsewhere,
        Self::PatientPath,
        Self::NoIdToken,
        Self::UnsignedIdToken,
        Self::AlteredIdToken,
        Self::EmptyRefreshToken,
        Self::OtherId,
        Self::OtherType,
        Self::NextElsewhere,
        Self::NextItself,
    ];

    /// Whether it is about how an answer travels, whatever it says.
    pub(super) fn is_of_the_wire(self) -> bool {
        matches!(
            self,
            Self::Silence
                | Self::Html
                | Self::Empty
                | Self::Truncated
                | Self::Endless
                | Self::Drip
                | Self::ServerError
                | Self::Unavailable
                | Self::TooMany
                | Self::RedirectElsewhere
                | Self::RedirectLoop
                | Self::WrongContentType
                | Self::NotUtf8
                | Self::DeepNesting
                | Self::NotAnObject
                | Self::DoubledMembers
        )
    }
}
