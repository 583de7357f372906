// `npm pack` and `npm publish` in the repository itself: what users get is made by the build, and lies in dist/.
process.stderr.write('the package is what the build makes: npm run package (= npm run build && npm pack ./dist)\n')
process.exitCode = 1
