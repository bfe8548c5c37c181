//! The search parameters, as a table: for which types, of what kind, and where in a resource the values lie.

/// A search parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Parameter {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// Members parted by dots; lists are gone through.
    pub(crate) paths: &'static [&'static str],
}

/// The kind of a search parameter (FHIR R4, search).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Token,
    String,
    Date,
    /// To resources of these types.
    Reference(&'static [&'static str]),
    Uri,
    Quantity,
}

impl Kind {
    /// As a CapabilityStatement has it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::String => "string",
            Self::Date => "date",
            Self::Reference(_) => "reference",
            Self::Uri => "uri",
            Self::Quantity => "quantity",
        }
    }
}

/// The parameter of this name for this type.
pub(crate) fn parameter(resource_type: &str, name: &str) -> Option<&'static Parameter> {
    parameters(resource_type).find(|parameter| parameter.name == name)
}

/// All parameters for a type.
pub(crate) fn parameters(resource_type: &str) -> impl Iterator<Item = &'static Parameter> {
    let own = TABLE.iter().filter(move |(types, ..)| types.split(' ').any(|name| name == resource_type));
    COMMON.iter().chain(own.map(|(_, parameter)| parameter))
}

/// The parameters that every type has.
pub(crate) fn common(name: &str) -> Option<&'static Parameter> {
    COMMON.iter().find(|parameter| parameter.name == name)
}

const fn of(name: &'static str, kind: Kind, paths: &'static [&'static str]) -> Parameter {
    Parameter { name, kind, paths }
}

const fn token(name: &'static str, paths: &'static [&'static str]) -> Parameter {
    of(name, Kind::Token, paths)
}

const fn string(name: &'static str, paths: &'static [&'static str]) -> Parameter {
    of(name, Kind::String, paths)
}

const fn date(name: &'static str, paths: &'static [&'static str]) -> Parameter {
    of(name, Kind::Date, paths)
}

const fn reference(name: &'static str, to: &'static [&'static str], paths: &'static [&'static str]) -> Parameter {
    of(name, Kind::Reference(to), paths)
}

static COMMON: [Parameter; 6] = [
    token("_id", &["id"]),
    date("_lastUpdated", &["meta.lastUpdated"]),
    of("_profile", Kind::Uri, &["meta.profile"]),
    token("_security", &["meta.security"]),
    of("_source", Kind::Uri, &["meta.source"]),
    token("_tag", &["meta.tag"]),
];

const PATIENT: &[&str] = &["Patient"];
const ENCOUNTER: &[&str] = &["Encounter"];
const ORGANIZATION: &[&str] = &["Organization"];
const LOCATION: &[&str] = &["Location"];
const SUBJECTS: &[&str] = &["Patient", "Group", "Device", "Location"];
const ACTORS: &[&str] =
    &["Practitioner", "PractitionerRole", "Organization", "Patient", "RelatedPerson", "Device", "CareTeam"];
const ANY: &[&str] = &[];

/// For the types named on the left.
static TABLE: &[(&str, Parameter)] = &[
    // What many types share.
    (
        "CarePlan CareTeam ClinicalImpression Communication CommunicationRequest Composition Condition DeviceRequest \
         DiagnosticReport DocumentReference Encounter Flag Goal Group ImagingStudy List Media MedicationAdministration \
         MedicationDispense MedicationRequest MedicationStatement Observation Procedure QuestionnaireResponse \
         RiskAssessment ServiceRequest Specimen Basic",
        reference("patient", PATIENT, &["subject"]),
    ),
    (
        "CarePlan CareTeam ClinicalImpression Communication CommunicationRequest Composition Condition DeviceRequest \
         DiagnosticReport DocumentReference Encounter Flag Goal ImagingStudy List Media MedicationAdministration \
         MedicationDispense MedicationRequest MedicationStatement Observation Procedure QuestionnaireResponse \
         RiskAssessment ServiceRequest Specimen Basic",
        reference("subject", SUBJECTS, &["subject"]),
    ),
    (
        "AllergyIntolerance Claim Consent Device EpisodeOfCare ExplanationOfBenefit FamilyMemberHistory Immunization \
         NutritionOrder RelatedPerson VisionPrescription",
        reference("patient", PATIENT, &["patient"]),
    ),
    (
        "Account AllergyIntolerance Appointment Basic CarePlan CareTeam Claim Composition Condition Consent Coverage Device \
         DiagnosticReport DocumentReference Encounter EpisodeOfCare ExplanationOfBenefit FamilyMemberHistory Goal Group \
         HealthcareService ImagingStudy Immunization List Location Medication MedicationDispense MedicationRequest \
         MedicationStatement Observation Organization Patient Person Practitioner PractitionerRole Procedure Questionnaire \
         QuestionnaireResponse RelatedPerson ServiceRequest Slot Schedule Specimen Task Bundle Endpoint ValueSet \
         StructureDefinition Communication",
        token("identifier", &["identifier"]),
    ),
    (
        "Account Appointment CarePlan CareTeam Claim Communication Composition Consent Coverage Device DiagnosticReport \
         DocumentReference Encounter Endpoint EpisodeOfCare ExplanationOfBenefit FamilyMemberHistory Flag ImagingStudy \
         Immunization List Location Medication MedicationAdministration MedicationDispense MedicationRequest \
         MedicationStatement Observation Procedure Questionnaire QuestionnaireResponse ServiceRequest Specimen Task \
         CodeSystem StructureDefinition ValueSet Media DeviceRequest ClinicalImpression CommunicationRequest NutritionOrder \
         RiskAssessment Slot",
        token("status", &["status"]),
    ),
    (
        "Basic Condition DiagnosticReport Group List Medication Observation Procedure ServiceRequest Task Flag",
        token("code", &["code"]),
    ),
    (
        "MedicationAdministration MedicationDispense MedicationRequest MedicationStatement",
        token("code", &["medicationCodeableConcept"]),
    ),
    (
        "MedicationAdministration MedicationDispense MedicationRequest MedicationStatement",
        reference("medication", &["Medication"], &["medicationReference"]),
    ),
    (
        "CarePlan CareTeam Communication Composition Condition Consent DiagnosticReport DocumentReference Flag Goal \
         MedicationRequest MedicationStatement Observation Procedure ServiceRequest",
        token("category", &["category"]),
    ),
    (
        "CarePlan ClinicalImpression Communication Composition Condition DiagnosticReport ImagingStudy List MedicationRequest \
         NutritionOrder Observation Procedure QuestionnaireResponse RiskAssessment ServiceRequest Task CareTeam Flag",
        reference("encounter", ENCOUNTER, &["encounter"]),
    ),
    ("MedicationRequest ServiceRequest Task CarePlan DeviceRequest", token("intent", &["intent"])),
    ("MedicationRequest ServiceRequest Task DeviceRequest", token("priority", &["priority"])),
    ("MedicationRequest ServiceRequest Task DeviceRequest", reference("requester", ACTORS, &["requester"])),
    ("Patient Practitioner Person RelatedPerson", string("name", &["name"])),
    ("Patient Practitioner", string("family", &["name.family"])),
    ("Patient Practitioner", string("given", &["name.given"])),
    ("Patient Practitioner Person RelatedPerson", token("gender", &["gender"])),
    ("Patient Person RelatedPerson", date("birthdate", &["birthDate"])),
    ("Patient Practitioner Person RelatedPerson", token("telecom", &["telecom"])),
    ("Patient Practitioner Organization Location Person RelatedPerson", string("address", &["address"])),
    ("Patient Practitioner Organization Location Person", string("address-city", &["address.city"])),
    ("Patient Practitioner Organization Location Person", string("address-state", &["address.state"])),
    ("Patient Practitioner Organization Location Person", string("address-postalcode", &["address.postalCode"])),
    (
        "Patient Practitioner Organization PractitionerRole RelatedPerson HealthcareService",
        token("active", &["active"]),
    ),
    // Patient and those around.
    ("Patient", date("death-date", &["deceasedDateTime"])),
    ("Patient", token("language", &["communication.language"])),
    (
        "Patient",
        reference(
            "general-practitioner",
            &["Practitioner", "PractitionerRole", "Organization"],
            &["generalPractitioner"],
        ),
    ),
    ("Patient", reference("organization", ORGANIZATION, &["managingOrganization"])),
    ("Patient", reference("link", &["Patient", "RelatedPerson"], &["link.other"])),
    ("Practitioner", token("communication", &["communication"])),
    ("PractitionerRole", reference("practitioner", &["Practitioner"], &["practitioner"])),
    ("PractitionerRole", reference("organization", ORGANIZATION, &["organization"])),
    ("PractitionerRole", reference("location", LOCATION, &["location"])),
    ("PractitionerRole", token("role", &["code"])),
    ("PractitionerRole", token("specialty", &["specialty"])),
    ("RelatedPerson", token("relationship", &["relationship"])),
    ("Organization", string("name", &["name", "alias"])),
    ("Organization", token("type", &["type"])),
    ("Organization", reference("partof", ORGANIZATION, &["partOf"])),
    ("Organization", reference("endpoint", &["Endpoint"], &["endpoint"])),
    ("Location HealthcareService Endpoint", string("name", &["name"])),
    ("Location", token("type", &["type"])),
    ("Location", reference("organization", ORGANIZATION, &["managingOrganization"])),
    ("Location", reference("partof", LOCATION, &["partOf"])),
    ("Endpoint", token("connection-type", &["connectionType"])),
    ("Endpoint", reference("organization", ORGANIZATION, &["managingOrganization"])),
    // Visits.
    ("Encounter", token("class", &["class"])),
    ("Encounter", token("type", &["type"])),
    ("Encounter", date("date", &["period"])),
    (
        "Encounter",
        reference("participant", &["Practitioner", "PractitionerRole", "RelatedPerson"], &["participant.individual"]),
    ),
    ("Encounter", reference("practitioner", &["Practitioner"], &["participant.individual"])),
    ("Encounter", reference("service-provider", ORGANIZATION, &["serviceProvider"])),
    ("Encounter", reference("location", LOCATION, &["location.location"])),
    ("Encounter", reference("diagnosis", &["Condition", "Procedure"], &["diagnosis.condition"])),
    ("Encounter", reference("part-of", ENCOUNTER, &["partOf"])),
    ("Encounter", token("reason-code", &["reasonCode"])),
    ("Appointment", reference("patient", PATIENT, &["participant.actor"])),
    ("Appointment", reference("actor", ANY, &["participant.actor"])),
    ("Appointment", reference("practitioner", &["Practitioner"], &["participant.actor"])),
    ("Appointment", date("date", &["start"])),
    // Findings.
    ("Observation", date("date", &["effectiveDateTime", "effectivePeriod", "effectiveInstant"])),
    ("Observation", reference("performer", ACTORS, &["performer"])),
    ("Observation", of("value-quantity", Kind::Quantity, &["valueQuantity"])),
    ("Observation", token("value-concept", &["valueCodeableConcept"])),
    ("Observation", string("value-string", &["valueString"])),
    ("Observation", date("value-date", &["valueDateTime", "valuePeriod"])),
    ("Observation", token("component-code", &["component.code"])),
    ("Observation", of("component-value-quantity", Kind::Quantity, &["component.valueQuantity"])),
    ("Observation", token("combo-code", &["code", "component.code"])),
    ("Observation", of("combo-value-quantity", Kind::Quantity, &["valueQuantity", "component.valueQuantity"])),
    ("Observation", reference("has-member", &["Observation", "QuestionnaireResponse"], &["hasMember"])),
    ("Observation", reference("derived-from", ANY, &["derivedFrom"])),
    ("Observation", reference("based-on", ANY, &["basedOn"])),
    ("Observation", reference("specimen", &["Specimen"], &["specimen"])),
    ("Observation", reference("device", &["Device"], &["device"])),
    ("Observation", reference("focus", ANY, &["focus"])),
    ("DiagnosticReport", date("date", &["effectiveDateTime", "effectivePeriod"])),
    ("DiagnosticReport", date("issued", &["issued"])),
    ("DiagnosticReport", reference("performer", ACTORS, &["performer"])),
    ("DiagnosticReport", reference("result", &["Observation"], &["result"])),
    ("DiagnosticReport", reference("based-on", ANY, &["basedOn"])),
    ("DiagnosticReport", reference("specimen", &["Specimen"], &["specimen"])),
    ("Specimen", token("type", &["type"])),
    ("Specimen", date("collected", &["collection.collectedDateTime", "collection.collectedPeriod"])),
    ("ImagingStudy", date("started", &["started"])),
    // Problems.
    ("Condition AllergyIntolerance", token("clinical-status", &["clinicalStatus"])),
    ("Condition AllergyIntolerance", token("verification-status", &["verificationStatus"])),
    ("Condition", token("severity", &["severity"])),
    ("Condition", token("body-site", &["bodySite"])),
    ("Condition", date("onset-date", &["onsetDateTime", "onsetPeriod"])),
    ("Condition", date("abatement-date", &["abatementDateTime", "abatementPeriod"])),
    ("Condition", date("recorded-date", &["recordedDate"])),
    ("Condition AllergyIntolerance", reference("asserter", ACTORS, &["asserter"])),
    ("AllergyIntolerance", token("code", &["code", "reaction.substance"])),
    ("AllergyIntolerance", token("type", &["type"])),
    ("AllergyIntolerance", token("category", &["category"])),
    ("AllergyIntolerance", token("criticality", &["criticality"])),
    ("AllergyIntolerance", date("date", &["recordedDate"])),
    ("AllergyIntolerance", reference("recorder", ACTORS, &["recorder"])),
    // Care.
    ("MedicationRequest", date("authoredon", &["authoredOn"])),
    ("MedicationStatement", date("effective", &["effectiveDateTime", "effectivePeriod"])),
    ("MedicationDispense", date("whenhandedover", &["whenHandedOver"])),
    ("MedicationDispense", reference("prescription", &["MedicationRequest"], &["authorizingPrescription"])),
    ("MedicationAdministration", date("effective-time", &["effectiveDateTime", "effectivePeriod"])),
    ("MedicationAdministration", reference("request", &["MedicationRequest"], &["request"])),
    ("Medication", token("form", &["form"])),
    ("Procedure", date("date", &["performedDateTime", "performedPeriod"])),
    ("Procedure", reference("performer", ACTORS, &["performer.actor"])),
    ("Procedure ServiceRequest", reference("based-on", ANY, &["basedOn"])),
    ("Procedure", token("reason-code", &["reasonCode"])),
    ("Immunization", token("vaccine-code", &["vaccineCode"])),
    ("Immunization", date("date", &["occurrenceDateTime"])),
    ("Immunization", string("lot-number", &["lotNumber"])),
    ("Immunization", reference("performer", ACTORS, &["performer.actor"])),
    ("ServiceRequest", date("authored", &["authoredOn"])),
    ("ServiceRequest", date("occurrence", &["occurrenceDateTime", "occurrencePeriod"])),
    ("ServiceRequest", reference("performer", ACTORS, &["performer"])),
    ("CarePlan CareTeam", date("date", &["period"])),
    ("CarePlan", reference("care-team", &["CareTeam"], &["careTeam"])),
    ("CarePlan", reference("condition", &["Condition"], &["addresses"])),
    ("CarePlan", reference("goal", &["Goal"], &["goal"])),
    ("CareTeam", reference("participant", ACTORS, &["participant.member"])),
    ("Goal", token("lifecycle-status", &["lifecycleStatus"])),
    ("Goal", token("achievement-status", &["achievementStatus"])),
    ("Goal", date("start-date", &["startDate"])),
    ("Goal", date("target-date", &["target.dueDate"])),
    ("FamilyMemberHistory", token("relationship", &["relationship"])),
    // Documents, messages, work.
    ("DocumentReference", token("type", &["type"])),
    ("DocumentReference", date("date", &["date"])),
    ("DocumentReference", date("period", &["context.period"])),
    ("DocumentReference", reference("encounter", ENCOUNTER, &["context.encounter"])),
    ("DocumentReference", reference("author", ACTORS, &["author"])),
    ("DocumentReference", token("contenttype", &["content.attachment.contentType"])),
    ("Composition", token("type", &["type"])),
    ("Composition", date("date", &["date"])),
    ("Composition", string("title", &["title"])),
    ("Composition Basic QuestionnaireResponse", reference("author", ACTORS, &["author"])),
    ("Basic", date("created", &["created"])),
    ("Binary", token("contenttype", &["contentType"])),
    ("Bundle", token("type", &["type"])),
    ("Bundle", date("timestamp", &["timestamp"])),
    ("QuestionnaireResponse", date("authored", &["authored"])),
    ("QuestionnaireResponse", of("questionnaire", Kind::Uri, &["questionnaire"])),
    ("Communication", date("sent", &["sent"])),
    ("Communication", date("received", &["received"])),
    ("Communication", reference("sender", ACTORS, &["sender"])),
    ("Communication", reference("recipient", ACTORS, &["recipient"])),
    ("Task", reference("patient", PATIENT, &["for"])),
    ("Task", reference("subject", ANY, &["for"])),
    ("Task", reference("owner", ACTORS, &["owner"])),
    ("Task", reference("focus", ANY, &["focus"])),
    ("Task", token("business-status", &["businessStatus"])),
    ("Task", date("authored-on", &["authoredOn"])),
    ("Task", date("modified", &["lastModified"])),
    ("Coverage", reference("patient", PATIENT, &["beneficiary"])),
    ("Coverage", reference("beneficiary", PATIENT, &["beneficiary"])),
    ("Coverage", reference("subscriber", &["Patient", "RelatedPerson"], &["subscriber"])),
    ("Coverage", reference("payor", ACTORS, &["payor"])),
    ("Coverage", token("type", &["type"])),
    ("Group", reference("member", ANY, &["member.entity"])),
    ("Group", token("type", &["type"])),
    ("Group", token("actual", &["actual"])),
    ("List", reference("item", ANY, &["entry.item"])),
    ("List", date("date", &["date"])),
    ("Device", token("type", &["type"])),
    ("Device", string("manufacturer", &["manufacturer"])),
    ("Device", string("model", &["modelNumber"])),
    ("Provenance", reference("target", ANY, &["target"])),
    ("Provenance", reference("patient", PATIENT, &["target"])),
    ("Provenance", reference("agent", ACTORS, &["agent.who"])),
    ("Provenance", date("recorded", &["recorded"])),
    ("AuditEvent", date("date", &["recorded"])),
    ("AuditEvent", reference("patient", PATIENT, &["agent.who", "entity.what"])),
    ("Account", reference("patient", PATIENT, &["subject"])),
    ("Account", reference("subject", SUBJECTS, &["subject"])),
    // Definitions.
    (
        "CodeSystem Questionnaire StructureDefinition ValueSet Measure Library PlanDefinition",
        of("url", Kind::Uri, &["url"]),
    ),
    ("CodeSystem Questionnaire StructureDefinition ValueSet Measure Library PlanDefinition", string("name", &["name"])),
    (
        "CodeSystem Questionnaire StructureDefinition ValueSet Measure Library PlanDefinition",
        string("title", &["title"]),
    ),
    (
        "CodeSystem Questionnaire StructureDefinition ValueSet Measure Library PlanDefinition",
        token("version", &["version"]),
    ),
];

#[cfg(test)]
mod tests {
    use super::super::super::resource_types::{RESOURCE_TYPES, is_served};
    use super::*;
    use std::collections::HashSet;

    /// The table speaks of types that there are, and has each parameter once for a type.
    #[test]
    fn the_table_is_coherent() {
        for (types, parameter) in TABLE {
            for name in types.split(' ') {
                assert!(is_served(name), "{name} of {}", parameter.name);
            }
            if let Kind::Reference(targets) = parameter.kind {
                assert!(targets.iter().all(|target| is_served(target)), "{}", parameter.name);
            }
        }
        for resource_type in RESOURCE_TYPES {
            let mut seen = HashSet::new();
            assert!(parameters(resource_type).all(|it| seen.insert(it.name)), "{resource_type}: {seen:?}");
        }
        assert!(parameter("Observation", "code").is_some() && parameter("Observation", "name").is_none());
        assert!(parameter("Slot", "_id").is_some() && common("code").is_none());
    }
}
