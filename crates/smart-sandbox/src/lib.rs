//! An embedded SMART on FHIR server for tests and demos
