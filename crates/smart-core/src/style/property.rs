//! The properties of a style document.

/// What a property's value has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StyleKind {
    /// A colour.
    Color,
    /// A length.
    Length,
    /// A list of fonts.
    FontFamily,
}

macro_rules! properties {
    ($($(#[$doc:meta])* $variant:ident = $member:literal, $custom:literal, $kind:ident;)+) => {
        /// A property of a style document (SMART App Launch 2.2, SMART app styling).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum StyleProperty {
            $($(#[$doc])* $variant,)+
        }

        impl StyleProperty {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The member's name in the document.
            pub fn member(self) -> &'static str {
                match self { $(Self::$variant => $member,)+ }
            }

            /// The name of the CSS custom property that [`StyleDocument::css`](super::StyleDocument::css) writes.
            pub fn custom_property(self) -> &'static str {
                match self { $(Self::$variant => $custom,)+ }
            }

            /// What its value has to be.
            pub fn kind(self) -> StyleKind {
                match self { $(Self::$variant => StyleKind::$kind,)+ }
            }
        }
    };
}

properties! {
    /// The background of the app.
    ColorBackground = "color_background", "--smart-color-background", Color;
    /// Concern and danger: errors, a button that deletes.
    ColorError = "color_error", "--smart-color-error", Color;
    /// Focus: a button that sends a form, a sign of loading.
    ColorHighlight = "color_highlight", "--smart-color-highlight", Color;
    /// The backdrop behind a modal dialog.
    ColorModalBackdrop = "color_modal_backdrop", "--smart-color-modal-backdrop", Color;
    /// Success.
    ColorSuccess = "color_success", "--smart-color-success", Color;
    /// Text.
    ColorText = "color_text", "--smart-color-text", Color;
    /// The radius of corners; 0 makes them square.
    DimBorderRadius = "dim_border_radius", "--smart-dim-border-radius", Length;
    /// The size of text.
    DimFontSize = "dim_font_size", "--smart-dim-font-size", Length;
    /// The space between elements.
    DimSpacingSize = "dim_spacing_size", "--smart-dim-spacing-size", Length;
    /// The fonts of text.
    FontFamilyBody = "font_family_body", "--smart-font-family-body", FontFamily;
    /// The fonts of headings.
    FontFamilyHeading = "font_family_heading", "--smart-font-family-heading", FontFamily;
}
