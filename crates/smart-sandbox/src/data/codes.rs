//! The codes that the data set uses, each with its display text.

/// The code systems.
pub(super) mod system {
    pub(crate) const SNOMED: &str = "http://snomed.info/sct";
    pub(crate) const ICD10: &str = "http://hl7.org/fhir/sid/icd-10-cm";
    pub(crate) const LOINC: &str = "http://loinc.org";
    pub(crate) const RXNORM: &str = "http://www.nlm.nih.gov/research/umls/rxnorm";
    pub(crate) const UCUM: &str = "http://unitsofmeasure.org";
    pub(crate) const MEDICAL_RECORD_NUMBER: &str = "https://hospital.example/mrn";
}

/// A disorder in SNOMED CT and ICD-10-CM.
#[derive(Debug, Clone, Copy)]
pub(super) struct Disorder {
    pub(super) snomed: &'static str,
    pub(super) icd10: &'static str,
    pub(super) name: &'static str,
}

const fn disorder(snomed: &'static str, icd10: &'static str, name: &'static str) -> Disorder {
    Disorder { snomed, icd10, name }
}

pub(super) const TYPE_2_DIABETES: Disorder = disorder("44054006", "E11.9", "Type 2 diabetes mellitus");
pub(super) const TYPE_1_DIABETES: Disorder = disorder("46635009", "E10.9", "Type 1 diabetes mellitus");
pub(super) const HYPERTENSION: Disorder = disorder("59621000", "I10", "Essential hypertension");
pub(super) const HYPERLIPIDAEMIA: Disorder = disorder("55822004", "E78.5", "Hyperlipidemia");
pub(super) const KIDNEY_DISEASE_3: Disorder = disorder("433144002", "N18.30", "Chronic kidney disease stage 3");
pub(super) const COPD: Disorder = disorder("13645005", "J44.9", "Chronic obstructive pulmonary disease");
pub(super) const ATRIAL_FIBRILLATION: Disorder = disorder("49436004", "I48.91", "Atrial fibrillation");
pub(super) const HEART_FAILURE: Disorder = disorder("84114007", "I50.9", "Heart failure");
pub(super) const ASTHMA: Disorder = disorder("195967001", "J45.909", "Asthma");
pub(super) const HYPOTHYROIDISM: Disorder = disorder("40930008", "E03.9", "Hypothyroidism");
pub(super) const OBESITY: Disorder = disorder("414916001", "E66.9", "Obesity");
pub(super) const SLEEP_APNOEA: Disorder = disorder("78275009", "G47.33", "Obstructive sleep apnea syndrome");
pub(super) const ATOPIC_DERMATITIS: Disorder = disorder("24079001", "L20.9", "Atopic dermatitis");
pub(super) const OTITIS_MEDIA: Disorder = disorder("3110003", "H66.90", "Acute otitis media");
pub(super) const RESPIRATORY_INFECTION: Disorder = disorder("54150009", "J06.9", "Upper respiratory infection");
pub(super) const MIGRAINE: Disorder = disorder("37796009", "G43.909", "Migraine");
pub(super) const IRON_DEFICIENCY: Disorder = disorder("87522002", "D50.9", "Iron deficiency anemia");
pub(super) const OLD_INFARCTION: Disorder = disorder("1755008", "I25.2", "Old myocardial infarction");
pub(super) const DEPRESSION: Disorder = disorder("35489007", "F32.A", "Depressive disorder");
pub(super) const ANXIETY: Disorder = disorder("21897009", "F41.1", "Generalized anxiety disorder");
pub(super) const OSTEOPOROSIS: Disorder = disorder("64859006", "M81.0", "Osteoporosis");
pub(super) const GOUT: Disorder = disorder("90560007", "M10.9", "Gout");
pub(super) const ADHD: Disorder = disorder("406506008", "F90.9", "Attention deficit hyperactivity disorder");
pub(super) const ALLERGIC_RHINITIS: Disorder = disorder("367498001", "J30.2", "Seasonal allergic rhinitis");
pub(super) const LOW_BACK_PAIN: Disorder = disorder("279039007", "M54.50", "Low back pain");

/// A medicine in RxNorm.
#[derive(Debug, Clone, Copy)]
pub(super) struct Medicine {
    pub(super) rxnorm: &'static str,
    pub(super) name: &'static str,
}

const fn medicine(rxnorm: &'static str, name: &'static str) -> Medicine {
    Medicine { rxnorm, name }
}

pub(super) const METFORMIN: Medicine =
    medicine("860975", "24 HR metformin hydrochloride 500 MG Extended Release Oral Tablet");
pub(super) const LISINOPRIL: Medicine = medicine("314076", "lisinopril 10 MG Oral Tablet");
pub(super) const ATORVASTATIN: Medicine = medicine("617310", "atorvastatin 20 MG Oral Tablet");
pub(super) const SIMVASTATIN: Medicine = medicine("312961", "simvastatin 20 MG Oral Tablet");
pub(super) const AMLODIPINE: Medicine = medicine("197361", "amlodipine 5 MG Oral Tablet");
pub(super) const HYDROCHLOROTHIAZIDE: Medicine = medicine("310798", "hydrochlorothiazide 25 MG Oral Tablet");
pub(super) const ALBUTEROL: Medicine = medicine("745679", "200 ACTUAT albuterol 0.09 MG/ACTUAT Metered Dose Inhaler");
pub(super) const FLUTICASONE: Medicine =
    medicine("895994", "120 ACTUAT fluticasone propionate 0.044 MG/ACTUAT Metered Dose Inhaler");
pub(super) const FLUTICASONE_SALMETEROL: Medicine = medicine(
    "896209",
    "60 ACTUAT fluticasone propionate 0.25 MG/ACTUAT / salmeterol 0.05 MG/ACTUAT Dry Powder Inhaler",
);
pub(super) const LEVOTHYROXINE: Medicine = medicine("966222", "levothyroxine sodium 0.075 MG Oral Tablet");
pub(super) const WARFARIN: Medicine = medicine("855332", "warfarin sodium 5 MG Oral Tablet");
pub(super) const METOPROLOL: Medicine =
    medicine("866412", "24 HR metoprolol succinate 100 MG Extended Release Oral Tablet");
pub(super) const FUROSEMIDE: Medicine = medicine("313988", "furosemide 40 MG Oral Tablet");
pub(super) const AMOXICILLIN: Medicine = medicine("308182", "amoxicillin 250 MG Oral Capsule");
pub(super) const IBUPROFEN: Medicine = medicine("310965", "ibuprofen 200 MG Oral Tablet");
pub(super) const INSULIN: Medicine = medicine(
    "106892",
    "insulin isophane, human 70 UNT/ML / insulin, regular, human 30 UNT/ML Injectable Suspension [Humulin]",
);
pub(super) const SERTRALINE: Medicine = medicine("312941", "sertraline 50 MG Oral Tablet");
pub(super) const ALENDRONATE: Medicine = medicine("904419", "alendronic acid 10 MG Oral Tablet");
pub(super) const ALLOPURINOL: Medicine = medicine("197319", "allopurinol 100 MG Oral Tablet");
pub(super) const FERROUS_SULFATE: Medicine = medicine("310325", "ferrous sulfate 325 MG Oral Tablet");
pub(super) const SUMATRIPTAN: Medicine = medicine("313161", "sumatriptan 50 MG Oral Tablet");
pub(super) const ASPIRIN: Medicine = medicine("243670", "aspirin 81 MG Oral Tablet");
pub(super) const CLOPIDOGREL: Medicine = medicine("309362", "clopidogrel 75 MG Oral Tablet");
pub(super) const METHYLPHENIDATE: Medicine = medicine("1091392", "methylphenidate hydrochloride 20 MG Oral Tablet");
pub(super) const CETIRIZINE: Medicine = medicine("1014676", "cetirizine hydrochloride 5 MG Oral Tablet");
pub(super) const HYDROCORTISONE: Medicine = medicine("106258", "hydrocortisone 10 MG/ML Topical Cream");
pub(super) const EPINEPHRINE: Medicine = medicine("1870230", "NDA020800 0.3 ML Epinephrine 1 MG/ML Auto-Injector");

/// An allergy in SNOMED CT.
#[derive(Debug, Clone, Copy)]
pub(super) struct Allergy {
    pub(super) snomed: &'static str,
    pub(super) name: &'static str,
    pub(super) category: &'static str,
    pub(super) high_risk: bool,
}

pub(super) const PENICILLIN_ALLERGY: Allergy =
    Allergy { snomed: "91936005", name: "Allergy to penicillin", category: "medication", high_risk: true };
pub(super) const PEANUT_ALLERGY: Allergy =
    Allergy { snomed: "91935009", name: "Allergy to peanut", category: "food", high_risk: true };
pub(super) const POLLEN_ALLERGY: Allergy =
    Allergy { snomed: "300910009", name: "Allergy to pollen", category: "environment", high_risk: false };

/// A quantity in LOINC, with its unit in UCUM, its normal range and how many decimals it is reported with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Quantity {
    pub(super) loinc: &'static str,
    pub(super) name: &'static str,
    pub(super) unit: &'static str,
    pub(super) ucum: &'static str,
    pub(super) decimals: u32,
    pub(super) low: Option<f64>,
    pub(super) high: Option<f64>,
}

const fn quantity(loinc: &'static str, name: &'static str, unit: &'static str, decimals: u32) -> Quantity {
    Quantity { loinc, name, unit, ucum: unit, decimals, low: None, high: None }
}

const fn lab(of: Quantity, low: Option<f64>, high: Option<f64>) -> Quantity {
    Quantity { low, high, ..of }
}

pub(super) const BLOOD_PRESSURE_LOINC: (&str, &str) = ("85354-9", "Blood pressure panel with all children optional");
pub(super) const SYSTOLIC: Quantity = quantity("8480-6", "Systolic blood pressure", "mm[Hg]", 0);
pub(super) const DIASTOLIC: Quantity = quantity("8462-4", "Diastolic blood pressure", "mm[Hg]", 0);
pub(super) const HEART_RATE: Quantity =
    Quantity { unit: "beats/minute", ..quantity("8867-4", "Heart rate", "/min", 0) };
pub(super) const WEIGHT: Quantity = quantity("29463-7", "Body weight", "kg", 1);
pub(super) const HEIGHT: Quantity = quantity("8302-2", "Body height", "cm", 1);
pub(super) const BODY_MASS_INDEX: Quantity = quantity("39156-5", "Body mass index (BMI) [Ratio]", "kg/m2", 1);
pub(super) const TEMPERATURE: Quantity = quantity("8310-5", "Body temperature", "Cel", 1);

pub(super) const HBA1C: Quantity =
    lab(quantity("4548-4", "Hemoglobin A1c/Hemoglobin.total in Blood", "%", 1), Some(4.0), Some(5.6));
pub(super) const LDL: Quantity = lab(
    quantity("13457-7", "Cholesterol in LDL [Mass/volume] in Serum or Plasma by calculation", "mg/dL", 0),
    None,
    Some(130.0),
);
pub(super) const CREATININE: Quantity =
    lab(quantity("2160-0", "Creatinine [Mass/volume] in Serum or Plasma", "mg/dL", 2), Some(0.5), Some(1.2));
pub(super) const EGFR: Quantity = lab(
    Quantity {
        unit: "mL/min/1.73 m2",
        ..quantity(
            "98979-8",
            "Glomerular filtration rate/1.73 sq M.predicted [Volume Rate/Area] in Serum, Plasma or Blood by Creatinine-based formula (CKD-EPI 2021)",
            "mL/min/{1.73_m2}",
            0,
        )
    },
    Some(60.0),
    None,
);
pub(super) const HAEMOGLOBIN: Quantity =
    lab(quantity("718-7", "Hemoglobin [Mass/volume] in Blood", "g/dL", 1), Some(12.0), Some(17.5));
pub(super) const THYROTROPIN: Quantity =
    lab(quantity("3016-3", "Thyrotropin [Units/volume] in Serum or Plasma", "m[IU]/L", 2), Some(0.4), Some(4.0));
pub(super) const URATE: Quantity =
    lab(quantity("3084-1", "Urate [Mass/volume] in Serum or Plasma", "mg/dL", 1), Some(3.4), Some(7.0));
