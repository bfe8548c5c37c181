//! `smart-bindgen <module.wasm> <folder>`: writes the module as browsers load it, and the JavaScript around it.

#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(module), Some(folder), None) = (arguments.next(), arguments.next(), arguments.next()) else {
        eprintln!("usage: smart-bindgen <module.wasm> <folder>");
        return ExitCode::from(2);
    };
    let mut bindgen = wasm_bindgen_cli_support::Bindgen::new();
    let written = bindgen
        .input_path(module)
        .out_name("smart_wasm")
        .typescript(true)
        .remove_name_section(true)
        .remove_producers_section(true)
        // The module is found beside the JavaScript, unless a page says where else it lies.
        .omit_default_module_path(false)
        .web(true)
        .and_then(|bindgen| bindgen.generate(folder));
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("smart-bindgen: {error:#}");
            ExitCode::FAILURE
        }
    }
}
