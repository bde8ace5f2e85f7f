//! The generated types are those of the schemas.

mod generated_types;
