/** A service: what is in stock, from a file that its pre-start hook has written. Without the file it does not start. */
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'

const products = JSON.parse(readFileSync('/cache/products.json', 'utf8'))

createServer((_, response) => {
  response.writeHead(200, { 'content-type': 'application/json', connection: 'close' })
  response.end(`${JSON.stringify(products)}\n`)
}).listen(8080, () => console.log(`${products.length} products in stock`))
process.on('SIGTERM', () => process.exit(0))
