//! A FHIR R4 resource client: read, search and paging with safe use of bearer tokens
