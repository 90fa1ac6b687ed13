//! The first program in each language, exactly as it is printed: taken from the README, put into an empty project, and run.

use crate::{bindings::target, dist, finish, root, toolchains};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// What all of them print.
const SAYS: &str = "alice says hello, Bob\n";

/// A block of a page that is printed in a language and holds a text.
fn block(page: &Path, fence: &str, holds: &str) -> Result<String, String> {
    let text = fs::read_to_string(page).map_err(|error| format!("{}: {error}", page.display()))?;
    let begins = format!("```{fence}\n");
    let mut blocks = text.split(&begins).skip(1).filter_map(|rest| rest.split("```").next());
    let found = blocks.find(|block| block.contains(holds)).map(str::to_owned);
    found.ok_or_else(|| format!("{} has no {fence} with {holds:?}", page.display()))
}

/// The program as the README and the package's own page print it: both the same, and no longer than promised.
fn printed(fence: &str, package: &str, lines: usize) -> Result<String, String> {
    let holds = "hello, Bob";
    let program = block(&root().join("README.md"), fence, holds)?;
    if block(&root().join(package).join("README.md"), fence, holds)? != program {
        return Err(format!("README.md and {package}/README.md print different programs"));
    }
    match program.lines().count() {
        count if count <= lines => Ok(program),
        count => Err(format!("the program has {count} lines, more than {lines}")),
    }
}

/// What a page tells to type, block by block.
fn typed(package: &str) -> Result<Vec<String>, String> {
    let page = root().join(package).join("README.md");
    let text = fs::read_to_string(&page).map_err(|error| format!("{}: {error}", page.display()))?;
    Ok(text.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next()).map(str::to_owned).collect())
}

/// An empty folder, and an installed package beside it.
struct Project {
    folder: PathBuf,
    prefix: PathBuf,
}

impl Project {
    fn new(language: &str) -> Result<Self, String> {
        let folder = target().join("quickstart").join(language);
        let prefix = target().join("quickstart").join(format!("{language}-prefix"));
        for path in [&folder, &prefix] {
            let _ = fs::remove_dir_all(path);
            fs::create_dir_all(path).map_err(|error| format!("{}: {error}", path.display()))?;
        }
        Ok(Self { folder, prefix })
    }

    fn write(&self, file: &str, text: &str) -> Result<(), String> {
        let path = self.folder.join(file);
        let folder = path.parent().ok_or("a file without a folder")?;
        fs::create_dir_all(folder).and_then(|()| fs::write(&path, text)).map_err(|error| error.to_string())
    }

    /// A block that a page tells to type, in a shell that knows the prefix.
    fn shell(&self, block: &str, folder: &Path) -> Command {
        let mut command = Command::new("sh");
        command.args(["-ec", block]).current_dir(folder).env("PREFIX", &self.prefix).env_remove("LD_LIBRARY_PATH");
        command
    }

    /// What the page tells to type in the project's folder, to have the package; gives what comes after it.
    fn install(&self, package: &str) -> Result<String, String> {
        match typed(package)?.as_slice() {
            [install, go] => finish(self.shell(install, &root())).map(|()| go.clone()),
            blocks => Err(format!("{package}/README.md tells to type {} blocks, not 2", blocks.len())),
        }
    }

    /// A block of the package's page, with the prefix written out.
    fn page(&self, package: &str, fence: &str, holds: &str) -> Result<String, String> {
        let text = block(&root().join(package).join("README.md"), fence, holds)?;
        Ok(text.replace("$PREFIX", &self.prefix.to_string_lossy()))
    }
}

/// Runs a program that must say what all of them say.
fn says(mut command: Command) -> Result<(), String> {
    let done = command.stderr(Stdio::inherit()).output().map_err(|error| error.to_string())?;
    // Maven resets the terminal's colours even where there are none.
    let said = String::from_utf8_lossy(&done.stdout).replace("\u{1b}[0m", "");
    if !done.status.success() {
        return Err(format!("{:?} ended with {}: {said}", command.get_program(), done.status));
    }
    if said == SAYS { Ok(()) } else { Err(format!("it says {said:?}")) }
}

/// From what is installed under a prefix, by pkg-config; and it is the same that is kept among the examples.
pub(crate) fn c() -> Result<(), String> {
    let (project, program) = (Project::new("c")?, printed("c", "bindings/c", 60)?);
    let kept = root().join("bindings/c/examples/quickstart.c");
    if fs::read_to_string(&kept).map_err(|error| error.to_string())? != program {
        return Err(format!("the pages print another program than {}", kept.display()));
    }
    let prefix = &project.prefix;
    dist::c::install(prefix)?;
    project.write("main.c", &program)?;
    let build = "cc main.c $(pkg-config --cflags --libs sesame) -Wl,-rpath,\"$LIB\" -o main && ./main";
    let mut command = Command::new("sh");
    command.args(["-ec", build]).current_dir(&project.folder);
    command.env("PKG_CONFIG_PATH", prefix.join("lib/pkgconfig")).env("LIB", prefix.join("lib"));
    says(command)
}

/// Over the core in the tree.
pub(crate) fn rust() -> Result<(), String> {
    let project = Project::new("rust")?;
    let page = root().join("core/README.md");
    let dependencies = block(&page, "toml", "[dependencies]")?.replace("../libsesame", &root().to_string_lossy());
    let package = "[package]\nname = \"quickstart\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[workspace]\n\n";
    project.write("Cargo.toml", &format!("{package}{dependencies}"))?;
    // With the versions of the tree, which are here already.
    fs::copy(root().join("Cargo.lock"), project.folder.join("Cargo.lock")).map_err(|error| error.to_string())?;
    project.write("src/main.rs", &printed("rust", "core", 25)?)?;
    let go = typed("core")?.concat();
    let mut command = project.shell(&go, &project.folder);
    command.env("CARGO_TARGET_DIR", target().join("quickstart/rust-target"));
    says(command)
}

/// From a wheel, in an environment with nothing else.
pub(crate) fn python() -> Result<(), String> {
    let project = Project::new("python")?;
    let go = project.install("bindings/python")?;
    project.write("main.py", &printed("python", "bindings/python", 25)?)?;
    says(project.shell(&go, &project.folder))
}

/// From the Maven repository, with the page's own `pom.xml`.
pub(crate) fn kotlin() -> Result<(), String> {
    let project = Project::new("kotlin")?;
    let go = project.install("bindings/kotlin")?;
    project.write("pom.xml", &project.page("bindings/kotlin", "xml", "<project")?)?;
    project.write("src/main/kotlin/Main.kt", &printed("kotlin", "bindings/kotlin", 25)?)?;
    // Not what an earlier run has left in Maven's own store under the same version.
    let _ = fs::remove_dir_all(toolchains::home().join("maven/org/libsesame"));
    let mut command = project.shell(&go, &project.folder);
    command.env("MAVEN_OPTS", toolchains::maven_options());
    says(command)
}

/// From the installed package, with the page's own `Package.swift`.
pub(crate) fn swift() -> Result<(), String> {
    let (project, tools) = (Project::new("swift")?, toolchains::swift()?);
    let go = project.install("bindings/swift")?;
    project.write("Package.swift", &project.page("bindings/swift", "swift", "import PackageDescription")?)?;
    project.write("Sources/quickstart/main.swift", &printed("swift", "bindings/swift", 25)?)?;
    let prefix = project.prefix.to_string_lossy();
    says(tools.command(&project.folder, &[("PREFIX", &*prefix)], &["sh", "-ec", &go]))
}
