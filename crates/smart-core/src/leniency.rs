//! Where this crate reads more than the specifications allow, because real servers err that way.
//!
//! Each leniency has a name here, is reported with the answer that needed it, and stands in `docs/leniencies.md` with
//! the server known for it. None of them weakens a check that safety rests on.

macro_rules! leniencies {
    ($($(#[$doc:meta])* $variant:ident = $code:literal,)+) => {
        /// Something in an answer that departs from the specification and was read all the same.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
        #[serde(rename_all = "kebab-case")]
        #[non_exhaustive]
        pub enum Leniency {
            $($(#[$doc])* $variant,)+
        }

        impl Leniency {
            /// All of them, in the order of the table in `docs/leniencies.md`.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// A short name that can be looked up in `docs/leniencies.md`.
            pub fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }
        }
    };
}

leniencies! {
    /// `expires_in` came as a string of digits.
    ExpiresInString = "expires-in-string",
    /// `expires_in` came as a number with a fraction; it is rounded down.
    ExpiresInFraction = "expires-in-fraction",
    /// `expires_in` was negative; it is taken as zero.
    ExpiresInNegative = "expires-in-negative",
    /// `scope` is missing, though SMART requires it; the token has the scopes that were asked for (RFC 6749, 5.1).
    ScopeMissing = "scope-missing",
    /// A granted scope is malformed; it is kept and grants nothing.
    ScopeMalformed = "scope-malformed",
    /// A context id came as a number.
    ContextIdNumber = "context-id-number",
    /// A context id came as a reference (`Patient/123`, or the same below the FHIR base) where SMART has the bare id.
    ContextIdReference = "context-id-reference",
    /// A context id is longer than the 64 characters of FHIR, and of its alphabet.
    ContextIdLong = "context-id-long",
    /// `need_patient_banner` came as a string.
    BannerString = "banner-string",
    /// `fhirContext` has bare reference strings, the form of SMART 2.0.
    FhirContextString = "fhir-context-string",
    /// An entry of `fhirContext` has none of `reference`, `canonical` and `identifier`; it is left out.
    FhirContextEmpty = "fhir-context-empty",
    /// An entry of `fhirContext` names a Patient or Encounter in the role `launch`; the top-level member is what counts.
    FhirContextLaunchPatient = "fhir-context-launch-patient",
    /// An optional context member is of the wrong kind; it is left out.
    ContextMemberUnreadable = "context-member-unreadable",
    /// `smart_style_url` is no https URL; it is left out.
    StyleUrlUnusable = "style-url-unusable",
    /// An entry of `authorization_details` is unreadable or of another type; it is left out.
    AuthorizationDetailUnreadable = "authorization-detail-unreadable",
    /// `openid` was granted and no ID token came.
    IdTokenMissing = "id-token-missing",
    /// A client-credentials answer has a refresh token; it is thrown away.
    RefreshTokenUnexpected = "refresh-token-unexpected",
    /// In the answer to a refresh, `expires_in`, `scope`, `id_token` or `refresh_token` is of the wrong kind; it is taken
    /// as absent, so that a refresh token that was just rotated is not lost.
    RefreshMemberUnreadable = "refresh-member-unreadable",
    /// An optional member of an introspection answer is of the wrong kind; it is left out.
    IntrospectionMemberUnreadable = "introspection-member-unreadable",
    /// A registration was answered with another success status than 201.
    RegistrationStatus = "registration-status",
    /// A client secret came without `client_secret_expires_at`; its end is unknown.
    SecretExpiryMissing = "secret-expiry-missing",
    /// A metadata member that a registration repeats is unreadable; it is kept unread, and taken as it was asked for.
    RegistrationMetadataUnreadable = "registration-metadata-unreadable",
    /// Of `registration_client_uri` and `registration_access_token` one is missing or unusable; both are left out.
    RegistrationManagementUnusable = "registration-management-unusable",
    /// A member of a style document is no string; it is kept unread.
    StyleMemberUnreadable = "style-member-unreadable",
    /// An app state came without an `ETag`; its `meta.versionId` is its version (FHIR R4, http).
    AppStateTagMissing = "app-state-tag-missing",
    /// An entry among app states is no app state; it is left out.
    AppStateUnreadable = "app-state-unreadable",
    /// An app state is of another code or about another subject than was asked for; it is left out.
    AppStateOfAnother = "app-state-of-another",
    /// A bundle of brands is of another type than `collection`.
    BrandBundleType = "brand-bundle-type",
    /// An entry of a bundle of brands has no resource, or the `fullUrl` of an earlier one; it is left out.
    BrandEntryUnreadable = "brand-entry-unreadable",
    /// An endpoint of a bundle of brands is no FHIR base that may be used; it is left out.
    BrandEndpointUnusable = "brand-endpoint-unusable",
    /// A reference in a bundle of brands leads out of the bundle or nowhere; it is left out.
    BrandReferenceUnresolved = "brand-reference-unresolved",
    /// A page, logo or bundle of a brand has a URL that may not be used; it is left out.
    BrandUrlUnusable = "brand-url-unusable",
    /// A value of a brand is absent for another reason than `asked-declined` and `asked-unknown`.
    BrandAbsentReason = "brand-absent-reason",
    /// A portal has parts under the names `url` and `description`.
    BrandPortalOldNames = "brand-portal-old-names",
    /// A brand has no name, and no reason for it.
    BrandNameMissing = "brand-name-missing",
    /// A brand belongs to one that belongs to a third; the third is not looked at.
    BrandParentDepth = "brand-parent-depth",
}
