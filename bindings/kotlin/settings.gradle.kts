rootProject.name = "sesame"
